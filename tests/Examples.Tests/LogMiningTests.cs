using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

public class LogMiningTests
{
    [Fact]
    public void Only_the_first_question_parses_the_log()
    {
        var lines = ExampleProgram.Run("LogMining", "--lines", "20000");
        var questions = lines.Where(line => line.EndsWith("lines parsed)", StringComparison.Ordinal)).ToArray();
        Assert.Equal(4, questions.Length);
        Assert.EndsWith(" 20,000 lines parsed)", questions[0]);
        Assert.All(questions[1..], question => Assert.EndsWith(" 0 lines parsed)", question));

        // The made-up database was down from 14 to 15 h.
        Assert.StartsWith("2025-03-14 14h", lines[Array.IndexOf(lines, questions[1]) + 1]);
        Assert.StartsWith("203.0.113.66", lines[Array.IndexOf(lines, questions[3]) + 1]);
    }

    [Fact]
    public void It_reads_a_log_and_passes_over_what_is_no_request()
    {
        using var folder = new TempDirectory();
        var log = Path.Combine(folder.Path, "access.log");
        File.WriteAllLines(log,
        [
            """192.0.2.1 - - [05/Jan/2025:23:30:00 +0100] "GET /a HTTP/1.1" 500 17""",
            """192.0.2.2 - ann [06/Jan/2025:00:10:00 +0000] "POST /b HTTP/1.1" 200 1000000""",
            """192.0.2.1 - - [06/Jan/2025:00:20:00 +0000] "GET /b HTTP/1.1" 304 -""",
            "nothing of the kind",
        ]);
        var lines = ExampleProgram.Run("LogMining", log, "--pattern", "^/b$");
        Assert.Contains("3, and 1 lines that are none", lines);
        Assert.Single(lines, line => line.StartsWith("2025-01-05 22h", StringComparison.Ordinal));
        Assert.Single(lines, line => line.StartsWith("192.0.2.2             1 requests,     1.0 MB", StringComparison.Ordinal));
        Assert.Single(lines, line => line.EndsWith("1 times, answered 304", StringComparison.Ordinal));
    }
}
