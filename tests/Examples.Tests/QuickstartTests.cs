using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

[Collection(nameof(SingleFileProgram))]
public class QuickstartTests
{
    [Theory]
    [InlineData(".", "examples/quickstart.cs")]
    [InlineData("examples", "quickstart.cs")]
    public void A_program_of_one_file_builds_without_a_warning_and_runs(string folder, string file)
    {
        var run = ExampleProgram.RunDotnet(Path.Combine(RepositoryRoot.Path, folder), "run", "-c", SingleFileProgram.Configuration, file);
        Assert.True(run.ExitCode == 0, $"{run.Output}\n{run.Errors}");
        Assert.DoesNotContain("warning", run.Output + run.Errors, StringComparison.OrdinalIgnoreCase);

        // Known since long: oeis.org/A006877.
        Assert.StartsWith(" 230631 takes 442 steps", run.Output);
        Assert.Contains("1 digits:   6.8 steps on average", run.Output);
    }
}
