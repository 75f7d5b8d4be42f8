namespace Dataflow.Examples.Tests;

public sealed class ChurnTests
{
    [Fact]
    public void No_answer_is_wrong_while_workers_are_killed()
    {
        var lines = ExampleProgram.Run("Churn", "--seconds", "8", "--workers", "2", "--every", "2");
        Assert.Equal("wrong answers: 0, failed jobs: 0, hangs: 0", lines[^1]);
        Assert.True(ExampleProgram.Numbers(lines, @"^([\d,]+) jobs, ([\d,]+) workers killed, the longest")[1] >= 1, string.Join('\n', lines));
    }
}
