using Dataflow.Sql.Tests.Frames;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Json;

public sealed class JsonTests(PeopleContext rig) : IClassFixture<PeopleContext>, IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Columns_and_types_are_found()
    {
        var frame = Read("""
            {"id": 1, "name": "Ada \"A\" é", "price": 1, "day": "2024-01-02", "at": "2024-01-02T03:04:05Z", "ok": true, "inner": {"a": [1, 2]}, "mixed": 1}
            {"ID": 2, "price": 2.5, "extra": null, "mixed": "x"}

            {"name": null, "ok": false, "inner": [], "mixed": true}
            """);
        Assert.Equal("id bigint, name string, price double, day date, at timestamp, ok boolean, inner string, mixed string, extra string", frame.Schema.ToString());
        Assert.Equal(
            "[1, Ada \"A\" é, 1.0, 2024-01-02, 2024-01-02 03:04:05, true, {\"a\": [1, 2]}, 1, NULL] [2, NULL, 2.5, NULL, NULL, NULL, NULL, x, NULL] [NULL, NULL, NULL, NULL, NULL, false, [], true, NULL]",
            PeopleContext.Text(frame));
        Assert.Equal("[2]", PeopleContext.Text(frame.Where(Col("price") > 2).Select("id")));
        Assert.Equal(3, frame.Count());
    }

    [Fact]
    public void Lines_that_do_not_fit_are_null_left_out_or_an_error()
    {
        var schema = new Schema(new Field("a", DataType.Int), new Field("b", DataType.Decimal(5, 2)));
        const string text = "{\"a\": 1, \"b\": 1.5}\n{\"a\": \"x\", \"b\": 2}\n{\"a\": 3, \n[4]\n{\"a\": 99999999999}\n";
        Assert.Equal("[1, 1.50] [NULL, 2.00] [NULL, NULL] [NULL, NULL] [NULL, NULL]", PeopleContext.Text(Read(text, new() { Schema = schema })));
        Assert.Equal("[1, 1.50]", PeopleContext.Text(Read(text, new() { Schema = schema, Mode = MalformedMode.DropMalformed })));
        Assert.Equal("[NULL] [{\"a\": \"x\", \"b\": 2}] [{\"a\": 3, ] [[4]] [{\"a\": 99999999999}]", PeopleContext.Text(Read(text, new() { Schema = schema, CorruptRecordColumn = "bad" }).Select("bad")));
        var frame = Read(text, new() { Schema = schema, Mode = MalformedMode.FailFast });
        Assert.Contains("at byte 19 does not fit: its field 'a' is no int. It reads: {\"a\": \"x\"", Assert.Throws<QueryException>(() => frame.Collect()).Message, StringComparison.Ordinal);
        Assert.Throws<QueryException>(() => Read("no json\n"));
    }

    [Fact]
    public void A_line_with_something_behind_its_object_does_not_fit()
    {
        var schema = new Schema(new Field("a", DataType.Int));
        const string text = "{\"a\": 1} \t\n{\"a\": 2} x\n{\"a\": 3}{\"a\": 4}\n{\"a\": 5},\n{\"a\": 6} // seen\n{\"a\": 7}}\n";
        Assert.Equal("[1] [NULL] [NULL] [NULL] [6] [NULL]", PeopleContext.Text(Read(text, new() { Schema = schema })));
        Assert.Equal("[1] [6]", PeopleContext.Text(Read(text, new() { Schema = schema, Mode = MalformedMode.DropMalformed })));
        Assert.Equal("[{\"a\": 2} x] [{\"a\": 3}{\"a\": 4}] [{\"a\": 5},] [{\"a\": 7}}]", PeopleContext.Text(Read(text, new() { Schema = schema, CorruptRecordColumn = "bad" }).Where(Col("bad").IsNotNull()).Select("bad")));
        var error = Assert.Throws<QueryException>(() => Read(text, new() { Schema = schema, Mode = MalformedMode.FailFast }).Collect());
        Assert.Contains("at byte 11 does not fit: 'x' is invalid after a single JSON value", error.Message, StringComparison.Ordinal);

        // Such a line says nothing of the columns.
        Assert.Equal("a bigint", Read("{\"b\": 1} x\n{\"c\": 1, \"d\n{\"a\": 1}\n").Schema.ToString());
    }

    [Fact]
    public void However_a_file_is_cut_each_line_is_read_once()
    {
        var text = string.Concat(Enumerable.Range(0, 2000).Select(i => $"{{\"i\": {i}, \"t\": \"{new string('x', i % 50)}\"}}\n"));
        foreach (var bytes in new[] { 1L << 20, 1000 })
        {
            var row = Read(text, new() { SplitBytes = bytes }).Agg(Count(), Sum("i"), CountDistinct("i")).Collect()[0];
            Assert.Equal([2000L, 1999L * 1000, 2000L], row);
        }
    }

    [Fact]
    public void Lines_of_text_are_a_column()
    {
        var path = Path.Combine(_folder.Path, "lines.txt");
        File.WriteAllText(path, "one\ntwo two two two two\n\nfour");
        Assert.Equal("[one] [two two two two two] [] [four]", PeopleContext.Text(rig.Context.Read.Text(path)));
        Assert.Equal("[4]", PeopleContext.Text(rig.Context.Sql("SELECT count(*) FROM text.`" + path + "`")));
    }

    private DataFrame Read(string text, JsonOptions? options = null)
    {
        var path = Path.Combine(_folder.Path, $"{Guid.NewGuid():N}.json");
        File.WriteAllText(path, text);
        return rig.Context.Read.Json(path, options);
    }
}
