using Dataflow.Sql.Tests.Frames;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Sql.Tests.Writing;

public sealed class WriterTests(PeopleContext rig) : IClassFixture<PeopleContext>, IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Out => Path.Combine(_folder.Path, "out");

    private DataFrame Everything => rig.Context.Sql("""
        SELECT * FROM VALUES
            (true, 1, -5L, 1.5D, CAST(-1.25 AS DECIMAL(10, 2)), 'say "hi", é', DATE '2024-02-29', TIMESTAMP '2024-02-29 01:02:03.5', TIMESTAMP_NTZ '2024-02-29 01:02:03'),
            (false, 2, 9223372036854775807, CAST('NaN' AS DOUBLE), 3.00, '', DATE '1900-01-01', TIMESTAMP '1900-01-01 00:00:00', TIMESTAMP_NTZ '0001-01-01 00:00:00'),
            (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
            (true, 3, 0L, 0.1D, 0.00, 'two\nlines\\ \t', DATE '2024-01-01', TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP_NTZ '2024-01-01 00:00:00.000001')
            AS t(a, b, c, d, e, f, g, h, i)
        """);

    [Theory]
    [InlineData("parquet")]
    [InlineData("csv")]
    [InlineData("json")]
    public void What_is_written_is_read_again(string format)
    {
        var frame = Everything;
        var expected = PeopleContext.Text(frame);
        var back = Write(frame, format);
        Assert.Equal(expected, PeopleContext.Text(back));
        Assert.True(File.Exists(Path.Combine(Out, "_SUCCESS")));
    }

    [Theory]
    [InlineData("parquet")]
    [InlineData("csv")]
    public void A_frame_without_rows_leaves_its_columns(string format) => Assert.Equal("a, b, c, d, e, f, g, h, i", PeopleContext.Columns(Write(Everything.Where("false"), format)));

    [Fact]
    public void Csv_is_written_as_the_options_say()
    {
        rig.People.OrderBy("id").Write.Csv(Out, new() { HasHeader = true, Delimiter = ';', NullValue = "-" });
        Assert.Equal("id;name;town;age;paid\n1;Ada;London;36;10.50\n2;Alan;London;41;20.25\n3;Grace;New York;85;30.00\n4;Linus;-;20;-\n", Single("*.csv"));
    }

    [Fact]
    public void Json_leaves_nulls_out()
    {
        rig.People.Where(Col("id") > 2).OrderBy("id").Write.Json(Out);
        Assert.Equal("{\"id\":3,\"name\":\"Grace\",\"town\":\"New York\",\"age\":85,\"paid\":30.00}\n{\"id\":4,\"name\":\"Linus\",\"age\":20}\n", Single("*.json"));
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("json")]
    public void Files_longer_than_a_buffer_hold_each_row_once(string format)
    {
        const string query = "SELECT id AS k, CAST(id AS DECIMAL(12, 2)) AS d, id / 4 AS q, concat('row ', id) AS t FROM range(60000)";
        var back = Write(rig.Context.Sql(query), format);
        Assert.Equal(
            rig.Context.Sql($"SELECT count(*), sum(k), sum(d), sum(q), max(t), count(DISTINCT t) FROM ({query})").Collect()[0].ToString(),
            back.Agg(Count(), Sum("k"), Sum("d"), Sum("q"), Max("t"), CountDistinct("t")).Collect()[0].ToString());
    }

    [Fact]
    public void What_is_there_is_refused_replaced_kept_or_added_to()
    {
        var one = rig.People.Where(Col("id") == 1);
        one.Write.Parquet(Out);
        Assert.Throws<OutputException>(() => one.Write.Parquet(Out));
        one.Write.Mode(SaveMode.Ignore).Parquet(Out);
        Assert.Equal(1, rig.Context.Read.Parquet(Out).Count());
        one.Write.Mode(SaveMode.Append).Parquet(Out);
        Assert.Equal(2, rig.Context.Read.Parquet(Out).Count());
        rig.People.Write.Mode(SaveMode.Overwrite).Parquet(Out);
        Assert.Equal(4, rig.Context.Read.Parquet(Out).Count());
    }

    [Fact]
    public void Nothing_is_left_of_a_query_that_fails()
    {
        Assert.Equal("DIVIDE_BY_ZERO", Assert.Throws<QueryException>(() => rig.People.Select((Lit(1) / (Col("id") - 2)).As("x")).Write.Csv(Out)).ErrorClass);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void One_column_of_text_is_written_line_by_line()
    {
        rig.People.OrderBy("id").Select("town").Write.Text(Out);
        Assert.Equal("London\nLondon\nNew York\n\n", Single("*.txt"));
        rig.People.OrderBy("id").Select("name", "age").Write.Mode(SaveMode.Overwrite).PartitionBy("age").Text(Out);
        Assert.Equal("[Linus, 20] [Ada, 36] [Alan, 41] [Grace, 85]", PeopleContext.Text(rig.Context.Read.Text(Out).OrderBy("age")));
        Assert.Contains("(name string", Assert.Throws<QueryException>(() => rig.People.Select("name", "age").Write.Mode(SaveMode.Overwrite).Text(Out)).Message);
    }

    [Fact]
    public void A_partitioned_write_that_fails_leaves_what_was_there()
    {
        rig.People.Write.PartitionBy("town").Parquet(Out);
        var before = Directory.GetFiles(Out, "*", SearchOption.AllDirectories).Order().ToArray();
        var bad = rig.People.Select(Col("town"), (Lit(1) / (Col("id") - 4)).As("x"));
        Assert.Throws<QueryException>(() => bad.Write.Mode(SaveMode.Overwrite).PartitionBy("town").Parquet(Out));
        Assert.Throws<QueryException>(() => bad.Write.Mode(SaveMode.Append).PartitionBy("town").Parquet(Out));
        Assert.Equal(before, Directory.GetFiles(Out, "*", SearchOption.AllDirectories).Order());
        Assert.Equal([Out], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Two_columns_of_one_name_are_refused() => Assert.Throws<QueryException>(() => rig.People.CrossJoin(rig.People).Write.Csv(Out));

    private string Single(string pattern) => string.Concat(Directory.GetFiles(Out, pattern).Order().Select(File.ReadAllText));

    private DataFrame Write(DataFrame frame, string format)
    {
        switch (format)
        {
            case "parquet":
                frame.Write.Parquet(Out);
                return rig.Context.Read.Parquet(Out);
            case "csv":
                frame.Write.Csv(Out, new() { HasHeader = true });
                return rig.Context.Read.Csv(Out, new() { HasHeader = true, Schema = frame.Schema });
            default:
                frame.Write.Json(Out);
                return rig.Context.Read.Json(Out, new() { Schema = frame.Schema });
        }
    }
}
