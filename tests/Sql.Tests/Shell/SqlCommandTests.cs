using System.Diagnostics;
using System.Text.Json;
using Dataflow.Sql.Parsing;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Shell;

public sealed class SqlCommandTests
{
    [Fact]
    public void Statements_of_the_command_line_print_tables()
    {
        var (exit, output, _) = Run("", "-e", "SELECT 1 AS a, 'x' AS b; CREATE TEMP VIEW v AS SELECT 2 AS n", "-e", "SELECT n * 2 AS twice FROM v");
        Assert.Equal(0, exit);
        Assert.Equal("+---+---+\n| a | b |\n+---+---+\n| 1 | x |\n+---+---+\n1 row\n+-------+\n| twice |\n+-------+\n|     4 |\n+-------+\n1 row\n", output);
    }

    [Fact]
    public void A_script_on_standard_input_gives_an_object_for_each_statement()
    {
        var (exit, output, errors) = Run("SELECT 1 AS a, 2.50 AS b,\n CAST(NULL AS DATE) AS c;\n.tables\nSELECT\n 1 / 0; SELECT 'a;b' AS t", "--output", "jsonl", "--continue-on-error");
        Assert.Equal((1, ""), (exit, errors));
        var lines = output.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(4, lines.Length);
        Assert.Equal("""[{"name":"a","type":"int"},{"name":"b","type":"decimal(3,2)"},{"name":"c","type":"date"}]""", lines[0].GetProperty("columns").GetRawText());
        Assert.Equal("[[1,2.50,null]]", lines[0].GetProperty("rows").GetRawText());
        Assert.True(lines[0].GetProperty("milliseconds").GetDouble() > 0);
        var error = lines[2].GetProperty("error");
        Assert.Equal(("DIVIDE_BY_ZERO", 2), (error.GetProperty("class").GetString(), error.GetProperty("line").GetInt32()));
        Assert.Equal("""[["a;b"]]""", lines[3].GetProperty("rows").GetRawText());
    }

    [Fact]
    public void An_error_ends_a_script_and_shows_where_it_is()
    {
        using var folder = new TempDirectory();
        var file = Path.Combine(folder.Path, "script.sql");
        File.WriteAllText(file, "SELECT 1 AS a, 'x,y' AS b;\nSELECT nope;\nSELECT 3");
        var (exit, output, errors) = Run("", "--output", "csv", "-f", file);
        Assert.Equal((1, "a,b\n1,\"x,y\"\n"), (exit, output));
        Assert.StartsWith("[UNRESOLVED_COLUMN", errors, StringComparison.Ordinal);
        Assert.Contains("\n  SELECT nope\n         ^", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Exit_and_help_work_without_a_point()
    {
        var (exit, output, errors) = Run("help\nSELECT 1 AS a;\nexit;\nSELECT 2 AS b;\n", "--output", "CSV");
        Assert.Equal((0, "a\n1\n"), (exit, output));
        Assert.Contains(".tables", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_format_names_those_there_are()
    {
        var (exit, _, errors) = Run("", "--output", "xml");
        Assert.NotEqual(0, exit);
        Assert.Contains("'xml' is no format of --output: give table, csv, json or jsonl.", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SELECT 1;", true)]
    [InlineData("SELECT 1; -- done", true)]
    [InlineData("SELECT 1", false)]
    [InlineData("SELECT ';", false)]
    [InlineData("SELECT ';'", false)]
    [InlineData("SELECT 1; SELECT 2", false)]
    [InlineData("SELECT /* ;", false)]
    public void A_statement_is_complete_when_a_semicolon_ends_it(string text, bool isComplete) => Assert.Equal(isComplete, Script.IsComplete(text));

    private static (int ExitCode, string Output, string Errors) Run(string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "dataflow.dll"), "sql", "--threads", "1", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("dataflow sql did not end within two minutes.");
        }
        return (process.ExitCode, output.Result.ReplaceLineEndings("\n"), errors.Result.ReplaceLineEndings("\n"));
    }
}
