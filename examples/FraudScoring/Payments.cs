using System.Globalization;
using System.Text.Json;

namespace Dataflow.Examples.FraudScoring;

/// <summary>A payment by card; whether it was a fraud is found out later.</summary>
public sealed record Payment(DateTimeOffset At, int Card, double Amount, string Shop, string Country, bool IsAbroad, int Hour, int IsFraud);

/// <summary>
/// Made-up payments, the same every time: frauds are dear goods bought abroad at night. From some file on thieves do something else: small gift cards, many, at any hour.
/// </summary>
internal static class Payments
{
    /// <summary>The file from which on thieves do something else.</summary>
    public const int Change = 6;

    private const int PerFile = 2000;
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly string[] Shops = ["grocery", "fuel", "restaurant", "clothes", "electronics", "travel", "gift cards"];
    private static readonly string[] Countries = ["DE", "FR", "NL", "PL", "US", "BR", "TH"];

    /// <summary>Payments of the time before the stream.</summary>
    public static IEnumerable<Payment> History(int count) => Make(new Random(1), count, Start.AddDays(-60), TimeSpan.FromDays(60), hasChanged: false);

    /// <summary>Payments of one file: six hours.</summary>
    public static IEnumerable<Payment> Of(int file) => Make(new Random(100 + file), PerFile, Start.AddHours(6 * file), TimeSpan.FromHours(6), file >= Change);

    /// <summary>Moves a file into a folder, whole.</summary>
    public static void Drop(string folder, int file)
    {
        Directory.CreateDirectory(folder);
        var name = string.Create(CultureInfo.InvariantCulture, $"payments-{file:D4}.json");
        File.WriteAllLines(Path.Combine(folder, $".{name}"), Of(file).Select(payment => JsonSerializer.Serialize(payment)));
        File.Move(Path.Combine(folder, $".{name}"), Path.Combine(folder, name), overwrite: true);
    }

    private static IEnumerable<Payment> Make(Random random, int count, DateTimeOffset start, TimeSpan length, bool hasChanged)
    {
        for (var i = 0; i < count; i++)
        {
            var at = start + (length * (i / (double)count));
            var isFraud = random.NextDouble() < 0.03;
            var hour = isFraud && !hasChanged ? random.Next(6) : at.Hour;
            var shop = isFraud ? hasChanged ? "gift cards" : random.Next(3) > 0 ? "electronics" : "travel" : Shops[(int)(Shops.Length * Math.Pow(random.NextDouble(), 1.5))];
            var isAbroad = isFraud && !hasChanged ? random.Next(4) > 0 : random.Next(12) == 0;
            var country = isAbroad ? Countries[3 + random.Next(4)] : Countries[random.Next(3)];
            var amount = Math.Exp((isFraud ? hasChanged ? 3.2 : 5.5 : 3.3) + (0.8 * Normal(random)));
            yield return new Payment(at, random.Next(500), Math.Round(amount, 2), shop, country, isAbroad, hour, isFraud ? 1 : 0);
        }
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
