using System.Text.RegularExpressions;
using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

public sealed partial class SensorAlertsTests
{
    [Fact]
    public void It_finds_hot_machines_without_a_broker_and_ends_by_itself()
    {
        var alerts = Alerts("--broker", "none");
        Assert.Contains("mill was hot from 09:06:20 to 09:08:59: 19 readings", string.Join('\n', alerts), StringComparison.Ordinal);
        Assert.DoesNotContain(alerts, line => line.Contains("cellar was hot from 09:0", StringComparison.Ordinal));
    }

    [FactRequiringTool("mosquitto")]
    public void It_finds_the_same_over_the_network() => Assert.Equal(Alerts("--broker", "none"), Alerts());

    // Alerts of the first quarter of an hour, in which nothing is late: the same however messages fall into batches.
    private static string[] Alerts(params string[] arguments)
    {
        var lines = ExampleProgram.Run("SensorAlerts", [.. arguments, "--batches", "60", "--every", "40"]);
        Assert.Matches(@"^60 batches, \d+ readings too late$", lines[^1]);
        Assert.Equal(60, lines.Count(line => line.StartsWith("batch ", StringComparison.Ordinal)));
        return [.. lines.Where(line => Early().IsMatch(line)).Order(StringComparer.Ordinal)];
    }

    [GeneratedRegex("was hot from .* to (08:..|09:0.|09:1[0-3]):")]
    private static partial Regex Early();
}
