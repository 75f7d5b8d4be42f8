using Dataflow.Streaming.Execution;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests;

/// <summary>Whatever is torn, missing or changed in a checkpoint: the query goes on rightly or ends with a named error.</summary>
public sealed class DamageTests
{
    [Theory]
    [InlineData("metadata")]
    [InlineData("offsets")]
    [InlineData("commits")]
    public async Task The_last_entry_of_a_log_that_is_torn_is_a_named_error(string log)
    {
        using var folder = new TempDirectory();
        await RescaleTests.Run(folder, "counts", [], behind: 3);
        var entry = Directory.GetFiles(folder.Combine("checkpoint", log)).MaxBy(path => int.Parse(Path.GetFileName(path), System.Globalization.CultureInfo.InvariantCulture))!;
        var bytes = File.ReadAllBytes(entry);
        foreach (var length in new[] { 0, 5, bytes.Length / 2, bytes.Length - 3 })
        {
            File.WriteAllBytes(entry, bytes[..length]);
            Assert.Contains("CHECKPOINT_DAMAGED", await Error(folder, "counts"), StringComparison.Ordinal);
        }
        File.WriteAllBytes(entry, bytes);
        await RescaleTests.Run(folder, "counts", [], first: 3);
    }

    [Theory]
    [InlineData("counts")]
    [InlineData("join")]
    public async Task A_state_file_that_is_missing_or_changed_anywhere_is_a_named_error(string kind)
    {
        using var folder = new TempDirectory();
        await RescaleTests.Run(folder, kind, [], behind: 3);
        await using var context = DataflowContext.Local(1);
        var count = context.ReadState(folder.Combine("checkpoint")).Count();
        var (checkpoint, metadata) = Checkpoint.Look(folder.Combine("checkpoint"));
        var files = checkpoint.ChainsOf(metadata, checkpoint.Find(metadata).Done)[0].SelectMany(chain => chain).ToArray();
        Assert.NotEmpty(files);
        foreach (var file in files.Select(name => folder.Combine("checkpoint", "state", "0", name)))
        {
            var bytes = File.ReadAllBytes(file);
            foreach (var at in new[] { 1, 4, 9, 13, 25, bytes.Length / 2, bytes.Length - 30 })
            {
                var changed = bytes.ToArray();
                changed[at] ^= 0x10;
                File.WriteAllBytes(file, changed);
                Assert.Matches("CHECKPOINT_(DAMAGED|VERSION)", Assert.ThrowsAny<Exception>(() => context.ReadState(folder.Combine("checkpoint")).Collect()).ToString());
            }
            File.Delete(file);
            Assert.Throws<StreamingException>(() => context.ReadState(folder.Combine("checkpoint")));
            File.WriteAllBytes(file, bytes);
        }
        var last = folder.Combine("checkpoint", "state", "0", files[^1]);
        File.Move(last, folder.Combine("away"));
        Assert.Contains("CHECKPOINT_DAMAGED", await Error(folder, kind), StringComparison.Ordinal);
        File.Move(folder.Combine("away"), last);
        Assert.Equal(count, context.ReadState(folder.Combine("checkpoint")).Count());
    }

    [Fact]
    public async Task What_was_put_away_and_changed_is_a_named_error_and_not_rescaled()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        var source = new MemorySource<int>(context);
        source.Add(Enumerable.Range(0, 20_000));
        var path = folder.Combine("checkpoint");
        await using (var query = context.ReadStream.From(source).GroupBy("value").Count().WriteStream.Start(
            new MemorySink(), new() { Checkpoint = path, StatePartitions = 1, OutputMode = OutputMode.Update, Trigger = Trigger.AvailableNow, StateMemoryBytes = 64 << 10 }))
            await query.AwaitTerminationAsync();
        var file = Assert.Single(Directory.GetFiles(Path.Combine(path, "state"), "*.run", SearchOption.AllDirectories));
        var bytes = File.ReadAllBytes(file);
        foreach (var at in new[] { 1, 4, 9, 30, bytes.Length / 3, bytes.Length / 2, bytes.Length - 50, bytes.Length - 10, bytes.Length - 2 })
        {
            var changed = bytes.ToArray();
            changed[at] ^= 0x10;
            File.WriteAllBytes(file, changed);
            Assert.Matches("CHECKPOINT_(DAMAGED|VERSION)", Assert.Throws<StreamingException>(() => context.ReadState(path).Collect()).Kind);
            Assert.Matches("CHECKPOINT_(DAMAGED|VERSION)", Assert.Throws<StreamingException>(() => StreamingCheckpoint.Rescale(path, 3)).Kind);
        }
        File.WriteAllBytes(file, bytes);
        StreamingCheckpoint.Rescale(path, 3);
        Assert.Equal(20_000, context.ReadState(path).Count());
    }

    [Fact]
    public async Task A_query_with_another_window_column_or_key_is_told_what_differs()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        var (one, other) = (new MemorySource<Pair>(context), new MemorySource<Pair>(context));
        one.Add(new Pair(DateTimeOffset.UnixEpoch, 1, 2));
        other.Add(new Pair(DateTimeOffset.UnixEpoch, 1, 2));
        DataFrame First() => context.ReadStream.From(one).WithWatermark("At", TimeSpan.FromMinutes(1));
        DataFrame Second() => context.ReadStream.From(other).Select(Col("A").As("C"), Col("B").As("D"));
        DataFrame Sums(int minutes, string column) => First().GroupBy(Window(Col("At"), TimeSpan.FromMinutes(minutes))).Agg(Sum(column).As("sum"));
        await Start(Sums(1, "A"), "sums");
        await Start(Sums(1, "A"), "sums");
        Assert.Contains("INTERVAL", await Refused(Sums(5, "A"), "sums"), StringComparison.Ordinal);
        Assert.Contains("sum(B)", await Refused(Sums(1, "B"), "sums"), StringComparison.Ordinal);
        var columns = new[] { Col("A"), Col("B"), Col("C"), Col("D") };
        await Start(First().Join(Second(), Col("A") == Col("C")).Select(columns), "join");
        Assert.Contains("join was by (A int)", await Refused(First().Join(Second(), Col("B") == Col("D")).Select(columns), "join"), StringComparison.Ordinal);

        async Task Start(DataFrame frame, string name)
        {
            await using var query = frame.WriteStream.Start(new MemorySink(), new() { Checkpoint = folder.Combine(name), Trigger = Trigger.AvailableNow });
            await query.AwaitTerminationAsync();
        }

        async Task<string> Refused(DataFrame frame, string name)
        {
            var error = await Assert.ThrowsAsync<StreamingException>(() => Start(frame, name));
            Assert.Equal("CHECKPOINT_OF_OTHER_QUERY", error.Kind);
            return error.Message;
        }
    }

    public sealed record Pair(DateTimeOffset At, int A, int B);

    private static async Task<string> Error(TempDirectory folder, string kind) =>
        (await Assert.ThrowsAsync<StreamingException>(() => RescaleTests.Run(folder, kind, [], first: 3, behind: 4))).Message;
}
