using System.Data;
using Dataflow.TestKit;
using Npgsql;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests.Databases;

/// <summary>Rows in tables of PostgreSQL, each once.</summary>
public sealed class DatabaseSinkTests(PostgresServer server) : IClassFixture<PostgresServer>
{
    private sealed record Everything(
        int Id, bool? Flag, short? Small, long? Large, float? Single, double? Double, decimal? Price, string? Text, byte[]? Bytes, DateOnly? Day, DateTimeOffset? At, DateTime? Clock, TimeSpan? For);

    [FactRequiringTool("initdb", "postgresql")]
    public async Task Values_of_all_types_come_into_a_table_that_is_made_for_them()
    {
        await using var context = DataflowContext.Local(2);
        await using var database = server.Open();
        var source = new MemorySource<Everything>(context);
        var at = new DateTimeOffset(2026, 1, 5, 12, 0, 0, 123, TimeSpan.Zero);
        source.Add(
            new(1, true, -7, 1L << 40, 1.5f, 0.1, 12.345678901234567890m, "O'Neill \"x\" ü", [0, 1, 255], new DateOnly(2026, 2, 3), at, new DateTime(2026, 1, 5, 13, 0, 0), TimeSpan.FromSeconds(90)),
            new(2, null, null, null, null, null, null, null, null, null, null, null, null));
        await using (var query = context.ReadStream.From(source).WriteStream.Start(new DatabaseSink(database, "everything") { CreateTable = true }, new() { Trigger = Trigger.AvailableNow }))
            await query.AwaitTerminationAsync();
        await using var command = database.CreateCommand("""SELECT * FROM everything ORDER BY "Id" """);
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        Assert.Equal(
            [1, true, (short)-7, 1L << 40, 1.5f, 0.1, 12.345678901234567890m, "O'Neill \"x\" ü", new byte[] { 0, 1, 255 }, new DateOnly(2026, 2, 3).ToDateTime(default), at.UtcDateTime, new DateTime(2026, 1, 5, 13, 0, 0), TimeSpan.FromSeconds(90)],
            Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetValue(i) is DateOnly day ? day.ToDateTime(default) : reader.GetValue(i)));
        Assert.True(await reader.ReadAsync());
        Assert.All(Enumerable.Range(1, reader.FieldCount - 1), i => Assert.True(reader.IsDBNull(i)));
        Assert.False(await reader.ReadAsync());
    }

    [FactRequiringTool("initdb", "postgresql")]
    public async Task A_batch_that_runs_again_after_its_rows_were_committed_is_passed_over()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        await using var database = server.Open();
        await ExecuteAsync(database, "CREATE TABLE once (value integer)");
        Clicks.WriteAll(folder, Clicks.Make(files: 4, perFile: 50, seed: 31));
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow };
        var clicks = context.ReadStream.Json<Click>(folder.Combine("in"), new() { MaxFilesPerTrigger = 1 }).Select(Col("User").As("Value"));
        var sink = new DatabaseSink(database, "once") { RowsPerRoundTrip = 7 };
        for (var fails = 0; fails < 4; fails++)
        {
            // As if the process ended between the sink's commit and the query's: the batch comes again.
            await using var query = clicks.WriteStream.Start(sink, options with { Reached = (step, batch) => { if (step == "written" && batch == fails) throw new IOException("gone"); } });
            await Assert.ThrowsAsync<IOException>(() => query.AwaitTerminationAsync());
        }
        await using (var last = clicks.WriteStream.Start(sink, options)) await last.AwaitTerminationAsync();
        Assert.Equal(200L, await ScalarAsync(database, "SELECT count(*) FROM once"));
        Assert.Equal(3L, await ScalarAsync(database, "SELECT max(batch) FROM dataflow_commits"));

        // A checkpoint that knows less than the database, by more than the batch that it may have begun, is an older copy.
        File.Delete(folder.Combine("checkpoint", "commits", "3"));
        File.Delete(folder.Combine("checkpoint", "commits", "2"));
        File.Delete(folder.Combine("checkpoint", "offsets", "3"));
        await using (var older = clicks.WriteStream.Start(sink, options))
            Assert.Equal("SINK_AHEAD_OF_CHECKPOINT", (await Assert.ThrowsAsync<StreamingException>(() => older.AwaitTerminationAsync())).Kind);
        Assert.Equal(200L, await ScalarAsync(database, "SELECT count(*) FROM once"));

        // Another query is another one, also with the same numbers of batches.
        await using (var other = clicks.WriteStream.Start(sink, options with { Checkpoint = folder.Combine("other") })) await other.AwaitTerminationAsync();
        Assert.Equal(400L, await ScalarAsync(database, "SELECT count(*) FROM once"));
    }

    [FactRequiringTool("initdb", "postgresql")]
    public async Task A_batch_that_fails_in_the_middle_leaves_nothing_and_the_error_says_which_row()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        await using var database = server.Open();
        await ExecuteAsync(database, "CREATE TABLE checked (value integer CHECK (value <> 5), name text)");
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow };
        var source = new MemorySource<int>(context);
        source.Add([.. Enumerable.Range(0, 10)]);
        var numbers = context.ReadStream.From(source).Select(Col("value"), Col("value").Cast("string").As("name"));
        await using (var query = numbers.WriteStream.Start(new DatabaseSink(database, "checked") { RowsPerRoundTrip = 3 }, options))
        {
            var error = await Assert.ThrowsAsync<StreamingException>(() => query.AwaitTerminationAsync());
            Assert.Equal("SINK_REFUSED", error.Kind);
            Assert.Contains("the row (value int = 5, name string = 5) of batch 0", error.Message, StringComparison.Ordinal);
            Assert.Contains("SQLSTATE 23514", error.Message, StringComparison.Ordinal);
        }
        Assert.Equal(0L, await ScalarAsync(database, "SELECT count(*) FROM checked"));
        await ExecuteAsync(database, "ALTER TABLE checked DROP CONSTRAINT checked_value_check");
        await using (var query = numbers.WriteStream.Start(new DatabaseSink(database, "checked"), options)) await query.AwaitTerminationAsync();
        Assert.Equal(10L, await ScalarAsync(database, "SELECT count(*) FROM checked"));
    }

    [FactRequiringTool("initdb", "postgresql")]
    public async Task Update_mode_keeps_the_last_value_of_each_group_and_complete_mode_all_of_them()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        await using var database = server.Open();
        var files = Clicks.Make(files: 5, perFile: 60, seed: 32);
        Clicks.WriteAll(folder, files);
        var sink = new DatabaseSink(database, "latest") { CreateTable = true, Keys = ["window", "Page"] };
        await using (var query = Clicks.PerPage(context, folder.Path).WriteStream.Start(sink, new() { OutputMode = OutputMode.Update, Trigger = Trigger.AvailableNow })) await query.AwaitTerminationAsync();
        Assert.Equal(Clicks.Expected(files.SelectMany(file => file)), await RowsAsync(database, "latest"));
        var single = new DatabaseSink(database, "single") { CreateTable = true, Keys = ["window", "Page"], OneByOne = true };
        await using (var query = Clicks.PerPage(context, folder.Path).WriteStream.Start(single, new() { OutputMode = OutputMode.Update, Trigger = Trigger.AvailableNow })) await query.AwaitTerminationAsync();
        Assert.Equal(Clicks.Expected(files.SelectMany(file => file)), await RowsAsync(database, "single"));
        var complete = new DatabaseSink(database, "complete") { CreateTable = true };
        await using (var query = Clicks.PerPage(context, folder.Path).WriteStream.Start(complete, new() { OutputMode = OutputMode.Complete, Trigger = Trigger.AvailableNow })) await query.AwaitTerminationAsync();
        Assert.Equal(Clicks.Expected(files.SelectMany(file => file)), await RowsAsync(database, "complete"));

        // A key without a value is one, too.
        var source = new MemorySource<string?>(context, maxRowsPerTrigger: 1);
        foreach (var text in new[] { null, "a", null, "a", null }) source.Add([text]);
        var nulls = new DatabaseSink(database, "nulls") { CreateTable = true, Keys = ["value"] };
        await using (var query = context.ReadStream.From(source).GroupBy("value").Count().WriteStream.Start(nulls, new() { OutputMode = OutputMode.Update, Trigger = Trigger.AvailableNow })) await query.AwaitTerminationAsync();
        Assert.Equal(2L, await ScalarAsync(database, "SELECT count(*) FROM nulls"));
        Assert.Equal(3L, await ScalarAsync(database, "SELECT count FROM nulls WHERE value IS NULL"));
    }

    [FactRequiringTool("initdb", "postgresql")]
    public async Task Missing_tables_columns_keys_and_servers_are_named()
    {
        await using var context = DataflowContext.Local(1);
        await using var database = server.Open();
        await ExecuteAsync(database, "CREATE TABLE narrow (other integer)");
        await using var nobody = NpgsqlDataSource.Create("Host=/nowhere;Username=dataflow");
        var source = new MemorySource<int>(context);
        source.Add(1);
        foreach (var (sink, kind, text) in new[]
        {
            (new DatabaseSink(database, "absent"), "SINK_WITHOUT_TABLE", "set CreateTable"),
            (new DatabaseSink(database, "narrow"), "SINK_WITHOUT_COLUMN", "no column 'value' (int). It has: other"),
            (new DatabaseSink(nobody, "absent"), "SINK_UNREACHABLE", "table absent"),
        })
        {
            await using var query = context.ReadStream.From(source).WriteStream.Start(sink, new() { Trigger = Trigger.AvailableNow });
            var error = await Assert.ThrowsAsync<StreamingException>(() => query.AwaitTerminationAsync());
            Assert.Equal(kind, error.Kind);
            Assert.Contains(text, error.Message, StringComparison.Ordinal);
        }
        await using var update = context.ReadStream.From(source).GroupBy("value").Count().WriteStream.Start(new DatabaseSink(database, "narrow"), new() { OutputMode = OutputMode.Update, Trigger = Trigger.AvailableNow });
        Assert.Equal("SINK_NEEDS_KEYS", (await Assert.ThrowsAsync<StreamingException>(() => update.AwaitTerminationAsync())).Kind);
    }

    private static async Task<PageMinute[]> RowsAsync(NpgsqlDataSource database, string table)
    {
        await using var command = database.CreateCommand($"""SELECT "window", "Page", "Clicks", "Users" FROM {table}""");
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<PageMinute>();
        while (await reader.ReadAsync()) rows.Add(new(new DateTimeOffset(reader.GetDateTime(0)), reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3)));
        return Clicks.Ordered(rows);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string text)
    {
        await using var command = database.CreateCommand(text);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource database, string text)
    {
        await using var command = database.CreateCommand(text);
        return await command.ExecuteScalarAsync();
    }
}
