namespace Dataflow.Engine.Tests.Context;

/// <summary>A command as a transformation.</summary>
public sealed class PipeTests
{
    [Fact]
    public void Elements_go_through_the_command_partition_by_partition()
    {
        using var context = DataflowContext.Local(2);
        var sorted = context.Parallelize(["b", "a", "d", "c"], 2).Pipe(["sort"]).Collect();
        Assert.Equal(["a", "b", "c", "d"], sorted);
    }

    [Fact]
    public void More_than_the_pipes_hold_flows_both_ways()
    {
        using var context = DataflowContext.Local(2);
        Assert.Equal(200_000, context.Range(0, 200_000, 1, 2).Pipe(["cat"]).Count());
    }

    [Fact]
    public void Header_environment_and_partition_reach_the_command()
    {
        using var context = DataflowContext.Local(2);
        var options = new PipeOptions { Header = ["first"], Environment = new Dictionary<string, string> { ["GREETING"] = "hello" } };
        var lines = context.Range(0, 2, 1, 2).Pipe(["sh", "-c", "echo $GREETING $DATAFLOW_PARTITION; cat"], options).Collect();
        Assert.Equal(["hello 0", "first", "0", "hello 1", "first", "1"], lines);
    }

    [Fact]
    public void A_command_that_fails_fails_the_job_with_what_it_said()
    {
        using var context = DataflowContext.Local(2);
        var error = Assert.Throws<JobFailedException>(() => context.Range(0, 1, 1, 1).Pipe(["sh", "-c", "echo broken >&2; exit 3"]).Count());
        Assert.Contains("exit code 3", error.Message);
        Assert.Contains("broken", error.Message);
    }

    [Fact]
    public void A_command_that_does_not_exist_is_named()
    {
        using var context = DataflowContext.Local(2);
        var error = Assert.Throws<JobFailedException>(() => context.Range(0, 1, 1, 1).Pipe(["no-such-command-here"]).Count());
        Assert.Contains("no-such-command-here", error.Message);
    }

    [Fact]
    public void Taking_a_few_lines_of_an_endless_command_ends_it()
    {
        using var context = DataflowContext.Local(2);
        Assert.Equal(["y", "y"], context.Range(0, 1, 1, 1).Pipe(["yes"]).Take(2));
    }
}
