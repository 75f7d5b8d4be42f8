using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Streams into tables that last.</summary>
public sealed class TableSinkTests : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly DataflowContext _context = DataflowContext.Local(2);
    private readonly MemorySource<int> _source;

    public TableSinkTests()
    {
        _context.Warehouse.Folder = _folder.Combine("tables");
        _source = new MemorySource<int>(_context);
    }

    private DataFrame Stream => _context.ReadStream.From(_source).Select(Col("value").As("n"), (Col("value") % 3).Cast("string").As("third"));

    public void Dispose()
    {
        _context.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("planned")]
    [InlineData("written")]
    [InlineData("logged")]
    public async Task Each_row_is_in_the_table_once_wherever_a_batch_was_ended(string ends)
    {
        _context.Sql("CREATE TABLE numbers AS SELECT 'none' AS third, -1L AS n");
        foreach (var ten in Enumerable.Range(0, 100).Chunk(10)) _source.Add(ten);
        var options = Options("one") with { MaxRowsPerBatch = 10 };
        await using (var failing = Stream.WriteStream.ToTable("numbers", options with { Reached = (step, batch) => { if (step == ends && batch == 3) throw new IOException("gone"); } }))
            await Assert.ThrowsAsync<IOException>(() => failing.AwaitTerminationAsync());
        var before = _context.Table("numbers").Count();
        Assert.Equal(ends == "planned" ? 31 : 41, before);
        await using (var next = Stream.WriteStream.ToTable("Numbers", options)) await next.AwaitTerminationAsync();
        _context.Sql("INSERT INTO numbers VALUES ('more', 100)");
        Assert.Equal(Enumerable.Range(-1, 102).Select(n => (long)n), _context.Sql("SELECT n FROM numbers ORDER BY n").Collect().Select(row => row.Get<long>("n")));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public async Task A_checkpoint_that_is_older_than_the_batches_of_the_table_is_an_error(int batches)
    {
        var options = Options("one") with { MaxRowsPerBatch = 10 };
        _source.Add(Enumerable.Range(0, 10));
        await using (var first = Stream.WriteStream.ToTable("numbers", options)) await first.AwaitTerminationAsync();
        TempDirectory.Copy(_folder.Combine("one"), _folder.Combine("older"));
        for (var i = 1; i < batches; i++)
        {
            _source.Add(Enumerable.Range(10 * i, 10));
            await using var more = Stream.WriteStream.ToTable("numbers", options);
            await more.AwaitTerminationAsync();
        }
        _source.Add(Enumerable.Range(10 * batches, 10));

        // The batch that the older one may have begun is there, and stays as it is; those behind it tell that it is older.
        await using (var again = Stream.WriteStream.ToTable("numbers", Options("older") with { MaxRowsPerBatch = 10 }))
        {
            if (batches == 2) await again.AwaitTerminationAsync();
            else Assert.Equal("SINK_AHEAD_OF_CHECKPOINT", (await Assert.ThrowsAsync<StreamingException>(() => again.AwaitTerminationAsync())).Kind);
        }
        Assert.Equal(batches == 2 ? 30 : 50, _context.Table("numbers").Count());
    }

    [Fact]
    public async Task A_table_is_there_from_the_start_and_has_whole_batches()
    {
        await using var query = Stream.WriteStream.ToTable("numbers", Options("one") with { Trigger = Trigger.AsSoonAsPossible });
        Assert.Equal("n, third", string.Join(", ", _context.Table("numbers").Columns));
        for (var batch = 1; batch <= 3; batch++)
        {
            _source.Add(Enumerable.Range(0, 50));
            await query.ProcessAllAvailableAsync();
            Assert.Equal($"[0, {17 * batch}] [1, {17 * batch}] [2, {16 * batch}]", string.Join(' ', _context.Sql("SELECT third, count(*) FROM numbers GROUP BY third ORDER BY third").Collect()));
        }
        var error = Assert.Throws<QueryException>(() => _context.Sql("INSERT OVERWRITE numbers SELECT 1, 'one'"));
        Assert.Contains("has the batches of a stream", error.Message, StringComparison.Ordinal);
        _context.Sql("DROP TABLE numbers");
        _source.Add(1);
        Assert.Equal("SINK_WITHOUT_TABLE", (await Assert.ThrowsAsync<StreamingException>(() => query.ProcessAllAvailableAsync())).Kind);
    }

    [Theory]
    [InlineData(true, "'one' AS n", "and made again with other columns (n string")]
    [InlineData(false, "0 AS n, 'one' AS third", "and made again. ")]
    public async Task A_table_that_was_made_again_is_left_as_it_is(bool isStartedAgain, string columns, string says)
    {
        var query = Stream.WriteStream.ToTable("numbers", Options("one") with { Trigger = Trigger.AsSoonAsPossible });
        _source.Add(1, 2);
        await query.ProcessAllAvailableAsync();
        if (isStartedAgain)
        {
            await query.StopAsync();
            query = Stream.WriteStream.ToTable("numbers", Options("one") with { Trigger = Trigger.AsSoonAsPossible });
        }
        await using var running = query;
        _context.Sql("DROP TABLE numbers");
        _context.Sql("CREATE TABLE numbers AS SELECT " + columns);
        _source.Add(3);
        var error = await Assert.ThrowsAsync<StreamingException>(() => query.ProcessAllAvailableAsync());
        Assert.Equal("SINK_WITHOUT_TABLE", error.Kind);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Equal(1, _context.Table("numbers").Count());
    }

    [Fact]
    public void A_type_that_files_do_not_keep_is_refused_at_the_start()
    {
        var spans = Stream.Select(Lit(TimeSpan.FromDays(1)).As("span"), Col("n"));
        Assert.Contains("'span' is interval day to second, which Parquet files and tables can't keep", Assert.Throws<QueryException>(() => spans.WriteStream.ToTable("spans", Options("one"))).Message, StringComparison.Ordinal);
        Assert.Empty(_context.Warehouse.Names);
    }

    [Fact]
    public async Task What_does_not_go_into_a_table_is_refused_and_leaves_none()
    {
        _source.Add(1, 2);
        await using (var first = Stream.WriteStream.ToTable("numbers", Options("one"))) await first.AwaitTerminationAsync();
        await using (var second = Stream.WriteStream.ToTable("numbers", Options("two")))
            Assert.Equal("SINK_OF_OTHER_QUERY", (await Assert.ThrowsAsync<StreamingException>(() => second.AwaitTerminationAsync())).Kind);
        var swapped = Stream.Select(Col("third").As("n"), Col("n").As("third"));
        Assert.Contains("'n' is string, and the column 'n' of the table 'numbers' is int", Assert.Throws<QueryException>(() => swapped.WriteStream.ToTable("numbers", Options("three"))).Message, StringComparison.Ordinal);
        Assert.Contains("The rows lack third", Assert.Throws<QueryException>(() => Stream.Select("n").WriteStream.ToTable("numbers", Options("three"))).Message, StringComparison.Ordinal);
        Assert.Contains("Use append mode", Assert.Throws<QueryException>(() => Stream.GroupBy("n").Count().WriteStream.ToTable("counts", Options("three") with { OutputMode = OutputMode.Update })).Message, StringComparison.Ordinal);
        Assert.Throws<QueryException>(() => Stream.GroupBy("n").Count().WriteStream.ToTable("counts", Options("three")));
        Assert.Throws<QueryException>(() => _context.Table("numbers").WriteStream.ToTable("counts", Options("three")));
        Stream.CreateTempView("stream");
        Assert.Contains("ToTable(name)", Assert.ThrowsAny<Exception>(() => _context.Sql("CREATE TABLE counts AS SELECT * FROM stream")).Message, StringComparison.Ordinal);
        Assert.Equal(["numbers"], _context.Warehouse.Names);
        Assert.Equal(2, _context.Table("numbers").Count());
    }

    private StreamingQueryOptions Options(string checkpoint) => new() { Checkpoint = _folder.Combine(checkpoint), Trigger = Trigger.AvailableNow };
}
