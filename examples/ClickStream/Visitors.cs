using System.Globalization;
using System.Text.Json;

/// <summary>A click of somebody on a page.</summary>
internal sealed record Click(DateTimeOffset At, string Page, string User);

/// <summary>
/// Made-up visitors of a web site, whose clicks come as files: each holds two minutes, the same every time. Some clicks come out of order, by up to eight minutes, and some
/// an hour late, as those of a telephone that had no network.
/// </summary>
internal static class Visitors
{
    private const int ClicksPerFile = 200;
    private static readonly DateTimeOffset Opening = new(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);
    private static readonly string[] Pages = ["/", "/search", "/cart", "/news"];

    /// <summary>Drops a file into a folder now and then, and goes on after the last one that is there.</summary>
    public static async Task ClickAsync(string folder, TimeSpan every, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var next = Directory.EnumerateFiles(folder, "clicks-*.json").Select(NumberOf).DefaultIfEmpty(-1).Max() + 1;
        using var timer = new PeriodicTimer(every);
        do
        {
            Drop(folder, next++);
        }
        while (await timer.WaitForNextTickAsync(cancellation));
    }

    // Names that begin with a dot are not looked at: the file appears whole.
    private static void Drop(string folder, int number)
    {
        var name = $"clicks-{number:D6}.json";
        File.WriteAllLines(Path.Combine(folder, $".{name}"), Clicks(number).Select(click => JsonSerializer.Serialize(click)));
        File.Move(Path.Combine(folder, $".{name}"), Path.Combine(folder, name));
    }

    private static IEnumerable<Click> Clicks(int number)
    {
        var random = new Random(number);
        for (var i = 0; i < ClicksPerFile; i++)
        {
            var at = Opening.AddMinutes(2 * number).AddSeconds(random.Next(120));
            if (random.Next(10) == 0) at = at.AddSeconds(-random.Next(480));
            if (random.Next(100) == 0) at = at.AddHours(-1);
            yield return new Click(at, Pages[(int)(Pages.Length * Math.Pow(random.NextDouble(), 2))], $"visitor {random.Next(50)}");
        }
    }

    private static int NumberOf(string path) => int.Parse(Path.GetFileNameWithoutExtension(path)["clicks-".Length..], CultureInfo.InvariantCulture);
}
