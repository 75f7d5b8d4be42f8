namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>Whatever fails, in whatever order: every job ends, no result comes twice, old and new rows never meet, nothing is left behind.</summary>
/// <remarks><c>DATAFLOW_CHAOS_SEEDS=20000 dotnet test --filter MachineChaos</c> plays more of them.</remarks>
public sealed class MachineChaosTests
{
    private static readonly int Seeds =
        int.TryParse(Environment.GetEnvironmentVariable("DATAFLOW_CHAOS_SEEDS"), out var seeds) ? seeds : 500;

    [Fact]
    public void Every_job_ends_well_or_with_an_error_whatever_fails()
    {
        var succeeded = 0;
        var failed = 0;
        var spoilt = 0;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var run = new ChaosRun(seed);
            run.Play(steps: 150);
            succeeded += run.Succeeded;
            failed += run.Failures.Count;
            spoilt += run.Failures.Count(failure => failure.What.Contains("do not give the same rows", StringComparison.Ordinal));
        }

        // All must occur, or the storm was no storm.
        Assert.True(succeeded > Seeds && failed > Seeds / 10 && spoilt > Seeds / 50, $"{succeeded} jobs succeeded, {failed} failed, {spoilt} of them for rows that differ");
    }

}
