using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

/// <summary>Programs of one file, built and run by the SDK.</summary>
public class QuickstartTests
{
    [Theory]
    [InlineData(".", "examples/quickstart.cs")]
    [InlineData("examples", "quickstart.cs")]
    public void A_program_of_one_file_builds_without_a_warning_and_runs(string folder, string file)
    {
        var run = ExampleProgram.RunDotnet(Path.Combine(RepositoryRoot.Path, folder), "run", "-c", Dotnet.Configuration, file);
        Assert.True(run.ExitCode == 0, $"{run.Output}\n{run.Errors}");
        Assert.DoesNotContain("warning", run.Output + run.Errors, StringComparison.OrdinalIgnoreCase);

        // Known since long: oeis.org/A006877.
        Assert.StartsWith(" 230631 takes 442 steps", run.Output);
        Assert.Contains("1 digits:   6.8 steps on average", run.Output);
    }

    [Fact]
    public void A_stream_of_one_file_counts_as_clicks_come()
    {
        var run = ExampleProgram.RunDotnet(RepositoryRoot.Path, "run", "-c", Dotnet.Configuration, "examples/clicks.cs");
        Assert.True(run.ExitCode == 0, $"{run.Output}\n{run.Errors}");
        Assert.DoesNotContain("warning", run.Output + run.Errors, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("| 2026-01-05 12:02:00 | /search |     45 |", run.Output, StringComparison.Ordinal);
        Assert.Contains("4 counts may still change; final is what ended before 12:01:59", run.Output, StringComparison.Ordinal);
    }
}
