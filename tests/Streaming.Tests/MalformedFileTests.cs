using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests;

/// <summary>What becomes of lines in files of a stream that do not fit.</summary>
public sealed class MalformedFileTests
{
    private static readonly Schema Columns = new(new Field("a", DataType.Int), new Field("b", DataType.String));

    [Theory]
    [InlineData("json", MalformedMode.Permissive, "[1, x, NULL] [3, z, NULL] [NULL, NULL, what] [NULL, NULL, {\"a\": 4} more] [NULL, y, {\"a\": \"two\", \"b\": \"y\"}]")]
    [InlineData("json", MalformedMode.DropMalformed, "[1, x, NULL] [3, z, NULL]")]
    [InlineData("json", MalformedMode.FailFast, null)]
    [InlineData("csv", MalformedMode.Permissive, "[1, x, NULL] [3, z, NULL] [NULL, NULL, four,] [NULL, NULL, what] [NULL, y, two,y]")]
    [InlineData("csv", MalformedMode.DropMalformed, "[1, x, NULL] [3, z, NULL]")]
    [InlineData("csv", MalformedMode.FailFast, null)]
    public async Task Lines_that_do_not_fit_are_null_left_out_or_an_error_as_in_batches(string format, MalformedMode mode, string? expected)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        File.WriteAllLines(folder.Combine("1"), format == "json" ? ["{\"a\": 1, \"b\": \"x\"}", "{\"a\": \"two\", \"b\": \"y\"}", "what"] : ["1,x", "two,y", "what"]);
        File.WriteAllLines(folder.Combine("2"), format == "json" ? ["{\"a\": 3, \"b\": \"z\"}", "{\"a\": 4} more"] : ["3,z", "four,"]);
        var options = new JsonOptions { Mode = mode, CorruptRecordColumn = "line" };
        var csv = new CsvOptions { Mode = mode, CorruptRecordColumn = "line", Schema = Columns };
        var stream = format == "json" ? context.ReadStream.Json(folder.Path, Columns, json: options) : context.ReadStream.Csv(folder.Path, csv);
        var sink = new MemorySink();
        await using var query = stream.WriteStream.Start(sink, new() { Trigger = Trigger.AvailableNow });
        if (expected is null)
        {
            var error = await Assert.ThrowsAnyAsync<Exception>(() => query.AwaitTerminationAsync());
            Assert.Contains("two", error.ToString(), StringComparison.Ordinal);
            return;
        }
        await query.AwaitTerminationAsync();
        Assert.Equal(expected, Sorted(sink.Rows));
        var batch = format == "json" ? context.Read.Json(folder.Path, options with { Schema = Columns }) : context.Read.Csv(folder.Path, csv);
        Assert.Equal(expected, Sorted(batch.Collect()));
    }

    [Fact]
    public void The_column_of_lines_that_do_not_fit_has_a_name_of_its_own()
    {
        using var context = DataflowContext.Local(1);
        Assert.Contains("can't be the one of corrupt records", Assert.Throws<ArgumentException>(() => context.ReadStream.Json("in", Columns, json: new() { CorruptRecordColumn = "A" })).Message, StringComparison.Ordinal);
    }

    private static string Sorted(IEnumerable<Row> rows) => string.Join(' ', rows.Select(row => row.ToString()).Order(StringComparer.Ordinal));
}
