namespace Dataflow.Examples.Tests;

public class ArgumentsTests
{
    [Fact]
    public void Every_example_explains_itself()
    {
        Assert.NotEmpty(ExampleProgram.Names);
        foreach (var name in ExampleProgram.Names) Assert.StartsWith($"Usage: {name}", ExampleProgram.Run(name, "--help")[0]);
    }

    [Theory]
    [InlineData("There is no option --page.", "--page", "7")]
    [InlineData("--pages needs a value.", "--pages")]
    [InlineData("--pages wants a whole number from 1, not 'many'.", "--pages", "many")]
    public void What_an_example_does_not_understand_is_refused(string message, params string[] arguments)
    {
        var run = ExampleProgram.TryRun("PageRank", arguments);
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith(message, run.Errors);
        Assert.Contains("Usage: PageRank", run.Errors);
    }
}
