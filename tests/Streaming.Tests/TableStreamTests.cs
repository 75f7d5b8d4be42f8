using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Tables that last, read as streams.</summary>
public sealed class TableStreamTests : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly DataflowContext _context = DataflowContext.Local(2);
    private readonly MemorySource<int> _source;

    public TableStreamTests()
    {
        _context.Warehouse.Folder = _folder.Combine("tables");
        _source = new MemorySource<int>(_context);
    }

    public void Dispose()
    {
        _context.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("planned", "logged")]
    [InlineData("written", "planned")]
    [InlineData("written", "written")]
    [InlineData("logged", "found")]
    public async Task A_chain_of_tables_has_each_row_once_wherever_its_queries_were_ended(string endsFirst, string endsSecond)
    {
        var (first, second) = (Options("first") with { MaxRowsPerBatch = 10 }, Options("second"));
        await First(first).AwaitTerminationAsync();
        foreach (var ten in Enumerable.Range(0, 60).Chunk(10)) _source.Add(ten);
        await using (var failing = First(Fails(first, endsFirst, 3))) await Assert.ThrowsAsync<IOException>(() => failing.AwaitTerminationAsync());

        // It has the batch that the first one will write again, if that was there.
        await using (var early = Second(second)) await early.AwaitTerminationAsync();
        Assert.Equal(endsFirst == "planned" ? 30 : 40, _context.Table("twice").Count());
        var before = Files();
        await using (var again = First(first)) await again.AwaitTerminationAsync();
        Assert.Equal(before, Files().Where(file => before.Any(old => old.Path == file.Path)));
        Assert.DoesNotContain(Directory.GetDirectories(_folder.Combine("tables", "once")), path => Path.GetFileName(path).StartsWith('_'));
        _context.Sql("INSERT INTO once VALUES (60), (61)");

        await using (var failing = Second(Fails(second, endsSecond, 1))) await Assert.ThrowsAsync<IOException>(() => failing.AwaitTerminationAsync());
        _context.Sql("INSERT INTO once VALUES (62)");
        await using (var last = Second(second)) await last.AwaitTerminationAsync();
        Assert.Equal(Enumerable.Range(0, 63).Select(n => 2L * n), _context.Sql("SELECT n FROM twice ORDER BY n").Collect().Select(row => Convert.ToInt64(row[0])));

        StreamingQuery First(StreamingQueryOptions options) => _context.ReadStream.From(_source).Select(Col("value").As("n")).WriteStream.ToTable("once", options);

        StreamingQuery Second(StreamingQueryOptions options) => _context.ReadStream.Table("Once").Select((Col("n") * 2).As("n")).WriteStream.ToTable("twice", options);

        (string Path, DateTime Written)[] Files() => [.. Directory.EnumerateFiles(_folder.Combine("tables", "once"), "*.parquet", SearchOption.AllDirectories).Order().Select(path => (path, File.GetLastWriteTimeUtc(path)))];
    }

    [Fact]
    public async Task Rows_that_are_added_come_as_they_are_added_an_insert_at_a_time_if_wanted()
    {
        _context.Sql("CREATE TABLE numbers AS SELECT 0 AS n");
        var sink = new MemorySink();
        await using var query = _context.ReadStream.Table("numbers", new() { MaxFilesPerTrigger = 1 }).WriteStream.Start(sink, new() { Checkpoint = _folder.Combine("one") });
        await query.ProcessAllAvailableAsync();
        for (var n = 1; n <= 3; n++)
        {
            _context.Sql($"INSERT INTO numbers VALUES ({n})");
            if (n > 1) await query.ProcessAllAvailableAsync();
        }
        Assert.Equal([0, 1, 2, 3], sink.Rows.Select(row => row.Get<int>("n")));
        Assert.Equal(3, query.LastProgress!.BatchId);

        // What was inserted together is read together: of what a stream gives in a batch no part may come too late.
        foreach (var rows in (int[])[10, 20]) _context.Sql("SELECT CAST(id AS INT) AS n FROM range(0, " + rows + ")").Write.Mode(SaveMode.Append).RowsPerFile(7).SaveAsTable("numbers");
        Assert.Equal(4 + 2 + 3, Directory.EnumerateFiles(_folder.Combine("tables", "numbers"), "*.parquet", SearchOption.AllDirectories).Count());
        await query.ProcessAllAvailableAsync();
        Assert.Equal([1, 1, 1, 1, 10, 20], query.RecentProgress.Select(batch => batch.InputRows));
    }

    [Fact]
    public async Task Windows_of_a_table_that_has_windows_are_those_of_its_rows()
    {
        var (visits, random) = (new MemorySource<Visit>(_context), new Random(3));
        var noon = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        var all = Enumerable.Range(0, 300).Select(i => new Visit(noon.AddSeconds(i + random.Next(-20, 1)), $"who {random.Next(3)}", 1)).ToArray();
        for (var i = 0; i <= all.Length; i += 60)
        {
            visits.Add(i < all.Length ? all[i..(i + 60)] : [new Visit(noon.AddDays(1), "end", 1)]);
            await using (var shorter = Shorter()) await shorter.AwaitTerminationAsync();
            await using var longer = Longer();
            await longer.AwaitTerminationAsync();
        }
        visits.Add(new Visit(noon.AddDays(2), "end", 1));
        await using (var shorter = Shorter()) await shorter.AwaitTerminationAsync();
        await using (var longer = Longer()) await longer.AwaitTerminationAsync();
        _context.FromRecords(all).CreateTempView("visits");
        Assert.Equal(
            _context.Sql("SELECT window(At, '1 minute') AS w, count(*) AS n FROM visits GROUP BY w ORDER BY w").Collect().Select(row => row.ToString()),
            _context.Sql("SELECT w, n FROM longer ORDER BY w").Collect().Select(row => row.ToString()));

        StreamingQuery Shorter()
        {
            _context.ReadStream.From(visits).WithWatermark("At", TimeSpan.FromSeconds(30)).CreateTempView("visits");
            return _context.Sql("SELECT window, Who, count(*) AS n FROM visits GROUP BY window(At, '20 seconds'), Who").WriteStream.ToTable("shorter", Options("first") with { StatePartitions = 2 });
        }

        StreamingQuery Longer()
        {
            _context.ReadStream.Table("shorter", new() { MaxFilesPerTrigger = 1 }).WithWatermark("window.end", TimeSpan.Zero).CreateTempView("windows");
            return _context.Sql("SELECT window(window_time(window), '1 minute') AS w, sum(n) AS n FROM windows GROUP BY w").WriteStream.ToTable("longer", Options("second"));
        }
    }

    [Fact]
    public async Task A_warehouse_that_was_moved_with_its_tables_goes_on()
    {
        _context.Sql("CREATE TABLE numbers AS SELECT 0 AS n");
        var sink = new MemorySink();
        await using (var query = _context.ReadStream.Table("numbers").WriteStream.Start(sink, Options("one"))) await query.AwaitTerminationAsync();
        Directory.Move(_folder.Combine("tables"), _folder.Combine("moved"));
        _context.Warehouse.Folder = _folder.Combine("moved");
        _context.Sql("INSERT INTO numbers VALUES (1)");
        await using (var query = _context.ReadStream.Table("numbers").WriteStream.Start(sink, Options("one"))) await query.AwaitTerminationAsync();
        Assert.Equal([0, 1], sink.Rows.Select(row => row.Get<int>("n")));
    }

    [Theory]
    [InlineData("STREAM_TABLE_DROPPED", "DROP TABLE numbers")]
    [InlineData("STREAM_TABLE_REPLACED", "CREATE OR REPLACE TABLE numbers AS SELECT 1 AS n")]
    [InlineData("STREAM_TABLE_REPLACED", "INSERT OVERWRITE numbers SELECT * FROM numbers")]
    public async Task A_table_that_is_not_the_one_of_before_is_an_error_while_it_is_read_and_at_the_next_start(string kind, string statement)
    {
        _context.Sql("CREATE TABLE numbers AS SELECT 1 AS n");
        var sink = new MemorySink();
        await using (var running = Read().WriteStream.Start(sink, new() { Checkpoint = _folder.Combine("one") }))
        {
            await running.ProcessAllAvailableAsync();
            var opened = Read();
            _context.Sql(statement);
            Assert.Equal(kind, (await Assert.ThrowsAsync<StreamingException>(() => running.ProcessAllAvailableAsync())).Kind);
            Assert.Equal(kind, Assert.Throws<StreamingException>(() => opened.WriteStream.Start(sink, Options("two"))).Kind);
        }
        if (!_context.Warehouse.Contains("numbers")) _context.Sql("CREATE TABLE numbers AS SELECT 1 AS n");
        var error = Assert.Throws<StreamingException>(() => Read().WriteStream.Start(sink, Options("one")));
        Assert.Equal("STREAM_TABLE_REPLACED", error.Kind);
        Assert.Contains("The table 'numbers' in '", error.Message, StringComparison.Ordinal);
        Assert.Contains("with another checkpoint", error.Message, StringComparison.Ordinal);
        Assert.Single(sink.Rows);

        DataFrame Read() => _context.ReadStream.Table("numbers");
    }

    [Fact]
    public async Task A_batch_that_was_planned_is_not_computed_from_another_table()
    {
        _context.Sql("CREATE TABLE numbers AS SELECT 1 AS n");
        var options = Options("one") with
        {
            Reached = (step, batch) =>
            {
                if (step == "planned" && batch == 0) _context.Sql("INSERT OVERWRITE numbers SELECT 2");
            },
        };
        var sink = new MemorySink();
        await using var query = _context.ReadStream.Table("numbers").WriteStream.Start(sink, options);
        Assert.Equal("STREAM_TABLE_REPLACED", (await Assert.ThrowsAsync<StreamingException>(() => query.AwaitTerminationAsync())).Kind);
        Assert.Empty(sink.Rows);
    }

    [Fact]
    public void What_is_no_table_to_be_read_so_is_refused()
    {
        Assert.Contains("There are no tables yet", Assert.Throws<QueryException>(() => _context.ReadStream.Table("numbers")).Message, StringComparison.Ordinal);
        _context.Sql("CREATE TABLE numbers AS SELECT 1 AS n");
        _context.Sql("CREATE TEMP VIEW ones AS SELECT 1 AS n");
        Assert.Contains("Did you mean 'numbers'?", Assert.Throws<QueryException>(() => _context.ReadStream.Table("number")).Message, StringComparison.Ordinal);
        Assert.Contains("a view of that name, which context.Table opens", Assert.Throws<QueryException>(() => _context.ReadStream.Table("ones")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => _context.ReadStream.Table("numbers", new() { AfterReading = AfterReading.Delete }));
        Assert.Contains("Write to another table", Assert.Throws<QueryException>(() => _context.ReadStream.Table("numbers").WriteStream.ToTable("Numbers", Options("one"))).Message, StringComparison.Ordinal);
    }

    private static StreamingQueryOptions Fails(StreamingQueryOptions options, string step, long batch) =>
        options with { Reached = (reached, number) => { if (reached == step && number == batch) throw new IOException("gone"); } };

    private StreamingQueryOptions Options(string checkpoint) => new() { Checkpoint = _folder.Combine(checkpoint), Trigger = Trigger.AvailableNow };
}
