using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>What people read who type something wrong.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("'0' is no number of cores", "worker", "--join", "http://127.0.0.1:9", "--cores", "0")]
    [InlineData("'many' is no number of cores", "worker", "--join", "http://127.0.0.1:9", "--cores", "many")]
    [InlineData("'soon' is no time", "worker", "--join", "http://127.0.0.1:9", "--drain-timeout", "soon")]
    [InlineData("--join", "worker")]
    public async Task A_wrong_option_is_one_line_and_where_help_is(string says, params string[] arguments)
    {
        using var tool = new ToolProcess(arguments);
        Assert.Equal(1, await tool.ExitAsync());
        var lines = tool.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Contains(says, lines[0]);
        Assert.Equal("See: dataflow worker --help", lines[1]);
    }

    [Fact]
    public async Task A_token_file_that_is_not_there_a_folder_that_can_not_be_made_and_half_a_tls_are_said_in_a_sentence()
    {
        using var folder = new TempDirectory();
        var file = Path.Combine(folder.Path, "a file");
        File.WriteAllText(file, "");
        foreach (var (says, arguments) in ((string, string[])[])
        [
            ("There is no token file", ["status", "dataflow://127.0.0.1:9", "--token-file", Path.Combine(folder.Path, "none")]),
            ("Give one that it may write to: --temp FOLDER.", ["worker", "--join", "http://127.0.0.1:9", "--temp", Path.Combine(file, "inside")]),
            ("is no address of a cluster", ["status", "nonsense"]),
            ("--tls-certificate FILE", ["coordinator", "--listen", "http://127.0.0.1:0", "--tls-mutual"]),
        ])
        {
            using var tool = new ToolProcess(arguments);
            Assert.Equal(1, await tool.ExitAsync());
            Assert.Contains(says, tool.Output);
            Assert.DoesNotContain("Parameter", tool.Output);
            Assert.DoesNotContain("   at ", tool.Output);
        }
    }

    [Fact]
    public async Task Help_says_times_in_seconds()
    {
        using var tool = new ToolProcess("worker", "--help");
        Assert.Equal(0, await tool.ExitAsync());
        Assert.Contains("(30)", tool.Output);
        Assert.DoesNotContain("00:00", tool.Output);
    }
}
