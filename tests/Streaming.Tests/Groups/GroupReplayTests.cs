using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Groups;

/// <summary>A batch that runs again gives what it gave.</summary>
public sealed class GroupReplayTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    public async Task Functions_see_the_same_rows_state_and_times_when_a_batch_runs_again(int seed, int interval)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(2);
        var (source, random, time) = (new MemorySource<Reading>(context), new Random(seed), new ManualTimeProvider());
        var given = new Dictionary<long, string[]>();
        var failed = 0;
        var all = new List<Reading>();
        for (var batch = 0; batch < 8; batch++)
        {
            var rows = Enumerable.Range(0, 50).Select(_ => new Reading(Noon, $"meter {random.Next(12)}", random.Next(100))).ToArray();
            all.AddRange(rows);
            source.Add(rows);

            // The state of the batch is written, and its rows do not come to be where they belong: twice by an error, then they do, at a later time.
            for (var attempt = 0; attempt < 3; attempt++)
            {
                time.Advance(TimeSpan.FromSeconds(7));
                await using var query = Sums(context.ReadStream.From(source)).WriteStream.ForeachBatch(
                    (frame, number) =>
                    {
                        string[] texts = [.. frame.Collect().Select(row => row.Get<string>("value")!).Order(StringComparer.Ordinal)];
                        if (!given.TryAdd(number, texts)) Assert.Equal(given[number], texts);
                        return attempt < 2 && ++failed > 0 ? Task.FromException(new IOException("not now")) : Task.CompletedTask;
                    },
                    new() { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, StatePartitions = 2, SnapshotInterval = interval, Time = time });
                if (attempt < 2) await Assert.ThrowsAnyAsync<Exception>(() => query.AwaitTerminationAsync());
                else await query.AwaitTerminationAsync();
            }
        }
        Assert.Equal(16, failed);
        var last = given.OrderBy(batch => batch.Key).SelectMany(batch => batch.Value).Select(text => text.Split(' ')).GroupBy(words => words[1]).Select(group => string.Join(' ', group.Last()[..3])).Order(StringComparer.Ordinal);
        Assert.Equal(all.GroupBy(reading => reading.Meter).Select(group => $"{group.Key} {group.Sum(reading => reading.Value)}").Order(StringComparer.Ordinal), last);
    }

    // With the order of rows, and the time of the batch.
    private static DataFrame Sums(DataFrame readings) => readings.GroupByKey((Reading reading) => reading.Meter).FlatMapGroupsWithState<int, string>((meter, rows, state) =>
    {
        int[] values = [.. rows.Select(row => row.Value)];
        state.Update(state.Value + values.Sum());
        return [$"{meter} {state.Get()} of {string.Join(',', values)} at {state.CurrentProcessingTime:O}"];
    });
}
