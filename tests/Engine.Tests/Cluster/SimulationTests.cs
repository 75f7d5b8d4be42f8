using Dataflow.Simulation;

namespace Dataflow.Engine.Tests.Cluster;

/// <summary>Whole clusters on virtual time, by seeds; more of them run with <c>dotnet run -c Release --project tests/Simulation -- --seeds 10000</c>.</summary>
public sealed class SimulationTests
{
    [Fact]
    public void Whatever_ends_or_is_cut_off_results_are_those_of_one_process()
    {
        var jobs = 0;
        var faults = 0;
        for (var seed = 1; seed <= 120; seed++)
        {
            var outcome = SimulatedRun.Play(seed);
            Assert.True(outcome.Problem is null, $"seed {seed} (tests/Simulation -- --seed {seed}): {outcome.Problem}");
            jobs += outcome.Jobs;
            faults += outcome.Faults;
        }
        Assert.True(jobs > 200 && faults > 200, $"{jobs} jobs and {faults} faults show little");
    }

    [Theory]
    [InlineData(1375)] // A worker that its driver did not reach for 22 s was given up for ever.
    [InlineData(8140)] // The same, when a reader had asked the driver to look.
    public void What_a_seed_found_once_stays_mended(int seed) => Assert.Null(SimulatedRun.Play(seed).Problem);

    [Fact]
    public void A_seed_is_the_same_run_each_time()
    {
        for (var seed = 1001; seed <= 1010; seed++) Assert.Equal(SimulatedRun.Play(seed).Hash, SimulatedRun.Play(seed).Hash);
    }

    [Theory]
    [InlineData("drop-fetch-failures", "could not be read")]
    [InlineData("reuse-epochs", "to read map output")]
    [InlineData("two-commits", "Not committed once")]
    public void A_mistake_of_the_driver_is_found(string fault, string problem)
    {
        Assert.True(Arguments.TryParse(["--plant", fault], out var arguments, out _));
        for (var seed = 1; seed <= 100; seed++)
        {
            if (SimulatedRun.Play(seed, arguments.Plant).Problem is not { } found) continue;
            Assert.Contains(problem, found, StringComparison.Ordinal);
            return;
        }
        Assert.Fail("no seed found it");
    }

    [Theory]
    [InlineData("--seeds", "0")]
    [InlineData("--plant", "nothing")]
    [InlineData("--seeds")]
    [InlineData("--what", "1")]
    public void A_command_line_that_makes_no_sense_is_refused(params string[] args) =>
        Assert.False(Arguments.TryParse(args, out _, out _));
}
