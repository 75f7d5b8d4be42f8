using System.Globalization;
using Dataflow.Streaming;

/// <summary>What a sensor says, and where.</summary>
internal sealed record Message(string Topic, string Payload);

/// <summary>
/// Made-up machines with a sensor each, the same every time. A minute passes with each step; now and then a machine runs hot for some minutes. Messages come out of order by up to a minute and
/// a half, and those of a machine in the cellar, whose network fails, up to a quarter of an hour late.
/// </summary>
internal static class Sensors
{
    private const int StepsPerNetwork = 15;
    private static readonly DateTimeOffset Morning = new(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);
    private static readonly string[] Machines = ["press", "oven", "mill", "lathe", "cellar"];

    /// <summary>Has them speak, step by step.</summary>
    public static async Task SpeakAsync(MemorySource<Message> messages, TimeSpan every, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(every);
        for (var step = 0; ; step++)
        {
            messages.Add(Step(step));
            await timer.WaitForNextTickAsync(cancellation);
        }
    }

    private static IEnumerable<Message> Step(int step)
    {
        var random = new Random(step);
        for (var i = 0; i < 6 * Machines.Length; i++)
        {
            var machine = i % Machines.Length;
            var minute = machine < Machines.Length - 1 ? step : step - (step % StepsPerNetwork);
            var at = Morning.AddMinutes(minute).AddSeconds(random.Next(-90, 60));
            var isHot = (at.Ticks / TimeSpan.TicksPerMinute + (7 * machine)) % 20 < 3;
            var degrees = (isHot ? 93 : 70) + (4 * random.NextDouble());
            yield return new Message($"sensors/{Machines[machine]}/heat", string.Create(CultureInfo.InvariantCulture, $"{at:yyyy-MM-ddTHH:mm:ssZ} {degrees:F1}"));
        }
    }
}
