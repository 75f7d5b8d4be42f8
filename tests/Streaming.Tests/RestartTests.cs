using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests;

/// <summary>A query that ends in the middle, in all ways, goes on with its checkpoint: nothing is lost, nothing comes twice.</summary>
public sealed class RestartTests
{
    private const int Files = 7;

    public static TheoryData<string, long> Steps
    {
        get
        {
            var steps = new TheoryData<string, long>();
            foreach (var step in new[] { "planned", "written", "committed" })
            {
                foreach (var batch in new long[] { 0, 3, 4 }) steps.Add(step, batch);
            }
            return steps;
        }
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_process_that_is_killed_after_any_step_of_a_batch_loses_and_doubles_nothing(string step, long batch)
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(Files, perFile: 60, seed: 11);
        Clicks.WriteAll(folder, files);
        using (var killed = Program.Start(folder.Path, step, batch, OutputMode.Append))
        {
            var (output, error) = (killed.StandardOutput.ReadToEndAsync(), killed.StandardError.ReadToEndAsync());
            await killed.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
            Assert.True(killed.ExitCode != 0, await output + await error);
        }
        using (var next = Program.Start(folder.Path, "", -1, OutputMode.Append))
        {
            var (output, error) = (next.StandardOutput.ReadToEndAsync(), next.StandardError.ReadToEndAsync());
            await next.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
            Assert.True(next.ExitCode == 0, await output + await error);
        }
        await using var context = DataflowContext.Local(1);
        var all = files.SelectMany(file => file).ToArray();
        var final = Clicks.Expected(all).Where(row => row.Window.AddMinutes(1) <= Clicks.Watermark(all)).ToArray();
        Assert.NotEmpty(final);
        Assert.Equal(final, Clicks.Ordered(context.Read.Json(folder.Combine("out")).Select("window", "Page", "Clicks", "Users").Collect<PageMinute>()));
    }

    [Fact]
    public async Task A_checkpoint_of_another_kind_of_source_and_a_folder_of_another_query_are_refused()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        var source = new MemorySource<int>(context);
        source.Add(1);
        async Task RunAsync(DataFrame stream, string checkpoint, IStreamSink sink, OutputMode mode = OutputMode.Append)
        {
            await using var query = stream.WriteStream.Start(sink, new StreamingQueryOptions { Checkpoint = folder.Combine(checkpoint), Trigger = Trigger.AvailableNow, OutputMode = mode });
            await query.AwaitTerminationAsync();
        }
        var out1 = folder.Combine("out");
        await RunAsync(context.ReadStream.From(source), "one", FileSink.Json(out1));
        await RunAsync(context.ReadStream.From(source), "one", FileSink.Json(out1));
        var error = await Assert.ThrowsAsync<StreamingException>(() => RunAsync(context.ReadStream.Text(folder.Combine("in")), "one", FileSink.Json(out1)));
        Assert.Contains("another kind of source", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<StreamingException>(() => RunAsync(context.ReadStream.From(source), "two", FileSink.Json(out1)));
        Assert.Contains("batches of another query", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, context.Read.Json(out1).Count());
        error = await Assert.ThrowsAsync<StreamingException>(() => RunAsync(context.ReadStream.From(source).GroupBy("value").Count(), "three", FileSink.Json(folder.Combine("all")), OutputMode.Complete));
        Assert.Contains("complete mode", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sink_that_fails_is_given_the_same_batch_again()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(Files, perFile: 60, seed: 12);
        Clicks.WriteAll(folder, files);
        await using var context = DataflowContext.Local(2);
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, OutputMode = OutputMode.Update, SnapshotInterval = 2 };
        var written = new Dictionary<long, PageMinute[]>();
        var fails = 0;
        async Task Write(DataFrame rows, long batch)
        {
            var now = Clicks.Ordered(rows.Collect<PageMinute>());
            if (written.TryGetValue(batch, out var before)) Assert.Equal(before, now);
            written[batch] = now;
            await Task.Yield();
            if (batch % 2 == 1 && fails++ % 2 == 0) throw new IOException("The sink is full.");
        }
        while (true)
        {
            await using var query = Clicks.PerPage(context, folder.Path).WriteStream.ForeachBatch(Write, options);
            try
            {
                await query.AwaitTerminationAsync();
                break;
            }
            catch (IOException)
            {
                Assert.Equal("The sink is full.", query.Exception!.Message);
            }
        }
        Assert.True(fails > 2);
        var last = written.OrderBy(each => each.Key).SelectMany(each => each.Value).GroupBy(row => (row.Window, row.Page)).Select(group => group.Last());
        Assert.Equal(Clicks.Expected(files.SelectMany(file => file)), Clicks.Ordered(last));
    }

    [Fact]
    public async Task A_query_that_has_seen_nothing_yet_goes_on_with_other_threads()
    {
        using var folder = new TempDirectory();
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, OutputMode = OutputMode.Update };
        var id = Guid.Empty;
        foreach (var threads in new[] { 2, 3 })
        {
            await using var context = DataflowContext.Local(threads);
            await using var query = Clicks.PerPage(context, folder.Path).WriteStream.Start(new MemorySink(), options);
            await query.AwaitTerminationAsync();
            Assert.True(id == Guid.Empty || id == query.Id);
            id = query.Id;
        }
    }

    [Fact]
    public async Task A_checkpoint_of_another_query_in_use_or_damaged_is_a_named_error()
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(4, perFile: 20, seed: 13);
        Clicks.WriteAll(folder, files);
        await using var context = DataflowContext.Local(1);
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, OutputMode = OutputMode.Update };
        var clicks = Clicks.PerPage(context, folder.Path);
        await using (var query = clicks.WriteStream.Start(new MemorySink(), options with { Trigger = Trigger.AsSoonAsPossible }))
        {
            await query.ProcessAllAvailableAsync();
            Assert.Equal("CHECKPOINT_IN_USE", Refused(clicks, options).Kind);
        }
        var other = Refused(clicks, options with { OutputMode = OutputMode.Append });
        Assert.Contains("Update", other.Message);
        Assert.Contains("aggregate by", Refused(context.ReadStream.Json<Click>(folder.Combine("in")).GroupBy("Page").Count(), options).Message);

        // The state of the last batch, and then the batch itself.
        var state = Directory.GetFiles(folder.Combine("checkpoint", "state"), "*.delta", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Last();
        var bytes = File.ReadAllBytes(state);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(state, bytes);
        Clicks.Write(folder.Combine("in"), 9, files[0]);
        await using (var query = clicks.WriteStream.Start(new MemorySink(), options))
        {
            var error = await Assert.ThrowsAsync<StreamingException>(() => query.AwaitTerminationAsync());
            Assert.Equal("CHECKPOINT_DAMAGED", error.Kind);
        }
        var commit = Directory.GetFiles(folder.Combine("checkpoint", "commits")).MaxBy(path => int.Parse(Path.GetFileName(path), System.Globalization.CultureInfo.InvariantCulture))!;
        File.WriteAllText(commit, "00000000\n{}\n");
        Assert.Equal("CHECKPOINT_DAMAGED", Refused(clicks, options).Kind);
    }

    [Theory]
    [InlineData("sources")]
    [InlineData("newest look")]
    [InlineData("metadata")]
    public async Task A_checkpoint_that_lacks_what_only_a_start_reads_is_a_named_error(string what)
    {
        using var folder = new TempDirectory();
        var files = Clicks.Make(4, perFile: 20, seed: 13);
        Clicks.WriteAll(folder, files);
        await using var context = DataflowContext.Local(1);
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, OutputMode = OutputMode.Update };
        var clicks = Clicks.PerPage(context, folder.Path);
        await using (var query = clicks.WriteStream.Start(new MemorySink(), options)) await query.AwaitTerminationAsync();
        if (what == "newest look") File.Delete(folder.Combine("checkpoint", "sources", "0", "3"));
        else Directory.Delete(folder.Combine("checkpoint", what), recursive: true);
        Clicks.Write(folder.Combine("in"), 9, files[0]);
        var error = await Assert.ThrowsAsync<StreamingException>(async () =>
        {
            await using var query = clicks.WriteStream.Start(new MemorySink(), options);
            await query.AwaitTerminationAsync();
        });
        Assert.Equal("CHECKPOINT_DAMAGED", error.Kind);
        Assert.Contains(what == "metadata" ? Path.Combine("metadata", "0") : Path.Combine("sources", "0", "3"), error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task A_checkpoint_that_is_older_than_the_files_of_its_sink_is_an_error(int files)
    {
        using var folder = new TempDirectory();
        Clicks.Write(folder.Combine("in"), 0, Clicks.Make(1, perFile: 20, seed: 13)[0]);
        await using var context = DataflowContext.Local(1);
        var clicks = context.ReadStream.Json<Click>(folder.Combine("in"), new() { MaxFilesPerTrigger = 1 });
        var options = new StreamingQueryOptions { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow };
        async Task RunAsync(StreamingQueryOptions with)
        {
            await using var query = clicks.WriteStream.Start(FileSink.Json(folder.Combine("out")), with);
            await query.AwaitTerminationAsync();
        }
        await RunAsync(options);
        TempDirectory.Copy(folder.Combine("checkpoint"), folder.Combine("older"));
        for (var i = 1; i < files; i++) Clicks.Write(folder.Combine("in"), i, Clicks.Make(1, perFile: 20, seed: i)[0]);
        await RunAsync(options);

        // The batch that it may have begun takes its own place again; more can't come of a query that was killed.
        var older = options with { Checkpoint = folder.Combine("older") };
        if (files > 2) Assert.Equal("SINK_AHEAD_OF_CHECKPOINT", (await Assert.ThrowsAsync<StreamingException>(() => RunAsync(older))).Kind);
        else await RunAsync(older);
        Assert.Equal(20 * files, context.Read.Json(folder.Combine("out")).Count());
    }

    [Fact]
    public async Task Folders_that_can_not_be_made_are_named()
    {
        using var folder = new TempDirectory();
        Clicks.Write(folder.Combine("in"), 0, Clicks.Make(1, perFile: 20, seed: 13)[0]);
        File.WriteAllText(folder.Combine("taken"), "a file");
        await using var context = DataflowContext.Local(1);
        var clicks = context.ReadStream.Json<Click>(folder.Combine("in"));
        var refused = Refused(clicks, new() { Checkpoint = folder.Combine("taken", "checkpoint") });
        Assert.Equal("CHECKPOINT_NOT_WRITABLE", refused.Kind);
        Assert.Contains(folder.Combine("taken", "checkpoint"), refused.Message, StringComparison.Ordinal);
        await using var query = clicks.WriteStream.Start(FileSink.Json(folder.Combine("taken", "out")), new StreamingQueryOptions { Trigger = Trigger.AvailableNow });
        var error = await Assert.ThrowsAsync<StreamingException>(() => query.AwaitTerminationAsync());
        Assert.Equal("SINK_NOT_WRITABLE", error.Kind);
        Assert.Contains(folder.Combine("taken", "out"), error.Message, StringComparison.Ordinal);
    }

    private static StreamingException Refused(DataFrame frame, StreamingQueryOptions options) => Assert.Throws<StreamingException>(() => frame.WriteStream.Start(new MemorySink(), options));
}
