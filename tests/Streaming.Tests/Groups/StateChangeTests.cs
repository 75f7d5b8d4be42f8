using Dataflow.TestKit;

namespace Dataflow.Streaming.Tests.Groups;

/// <summary>The program changes, and what it kept is there still: read as it is now, or refused with what differs.</summary>
public sealed class StateChangeTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private sealed record First(int Count, string Name);

    private sealed record WithMore(string? Note, int Count, double? Weight, string Name, List<int>? Items);

    private sealed record WithMost(string? Note, int Count, double? Weight, string Name, List<int>? Items, DateTimeOffset? At);

    private sealed record Fewer(int Count);

    private sealed record Retyped(long Count, string Name);

    private sealed record Needy(int Count, string Name, int Must);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Fields_that_may_be_null_are_null_in_what_was_kept_before_they_came(int interval)
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        var (source, sink) = (new MemorySource<Reading>(context), new MemorySink());
        Assert.Equal(["1 name of a", "1 name of b", "1 name of c"], await Run<First>(["a", "b", "c"], (meter, state) => new First((state?.Count ?? 0) + 1, $"name of {meter}"), state => $"{state.Count} {state.Name}"));
        Assert.Equal(["2 name of a  0.5 2", "2 name of b  0.5 2"], await Run<WithMore>(["a", "b"], (_, state) => state! with { Count = state.Count + 1, Weight = 0.5, Items = [1, 2] }, Text));

        // One of the second shape, one still of the first.
        Assert.Equal(["2 name of c noted  ", "3 name of b noted 0.5 2"], await Run<WithMore>(["b", "c"], (_, state) => state! with { Count = state.Count + 1, Note = "noted" }, Text));
        Assert.Equal(["3 name of a  0.5 2 12", "3 name of c noted   12", "4 name of b noted 0.5 2 12"], await Run<WithMost>(["a", "b", "c"], (_, state) => state! with { Count = state.Count + 1, At = Noon },
            state => $"{Text(new WithMore(state.Note, state.Count, state.Weight, state.Name, state.Items))} {state.At:HH}"));

        // What it was is not forgotten.
        Assert.Contains("had a field At", (await Assert.ThrowsAsync<StreamingException>(() => Run<WithMore>([], (_, state) => state!, Text))).Message, StringComparison.Ordinal);

        static string Text(WithMore state) => FormattableString.Invariant($"{state.Count} {state.Name} {state.Note} {state.Weight} {state.Items?.Count}");

        Task<string[]> Run<T>(string[] meters, Func<string, T?, T> next, Func<T, string> text) where T : class => Go(context, source, sink, folder, interval, meters, next, text);
    }

    [Fact]
    public async Task Fields_that_are_gone_or_of_another_type_or_must_not_be_null_are_refused_before_the_start()
    {
        using var folder = new TempDirectory();
        await using var context = DataflowContext.Local(1);
        var (source, sink) = (new MemorySource<Reading>(context), new MemorySink());
        await Go<First>(context, source, sink, folder, 10, ["a"], (_, _) => new First(1, "name"), state => state.Name);
        await Refused<Fewer>("the value 'state' had a field Name (string), which is gone");
        await Refused<Retyped>("the value 'state' had Count as int, and now has it as long");
        await Refused<Needy>("has a new field Must (int), which can't be null as it would be in what is kept already: make it nullable");
        await Refused<string>("the value 'state' was {Count:int, Name:string}, and is now string");
        Assert.Equal(["2 name"], await Go<First>(context, source, sink, folder, 10, ["a"], (_, state) => state! with { Count = state.Count + 1 }, state => $"{state.Count} {state.Name}"));

        async Task Refused<T>(string why) where T : class
        {
            var error = await Assert.ThrowsAsync<StreamingException>(() => Go<T>(context, source, sink, folder, 10, [], (_, state) => state!, _ => ""));
            Assert.Equal("CHECKPOINT_OF_OTHER_QUERY", error.Kind);
            Assert.Contains(why, error.Message, StringComparison.Ordinal);
        }
    }

    private static async Task<string[]> Go<T>(
        DataflowContext context, MemorySource<Reading> source, MemorySink sink, TempDirectory folder, int interval, string[] meters, Func<string, T?, T> next, Func<T, string> text) where T : class
    {
        var rows = context.ReadStream.From(source).GroupByKey((Reading reading) => reading.Meter).FlatMapGroupsWithState<T, string>((meter, _, state) =>
        {
            state.Update(next(meter, state.Value));
            return [text(state.Get())];
        });
        source.Add(meters.Select(meter => new Reading(Noon, meter, 1)));
        await using var query = rows.WriteStream.Start(sink, new() { Checkpoint = folder.Combine("checkpoint"), Trigger = Trigger.AvailableNow, StatePartitions = 1, SnapshotInterval = interval });
        await query.AwaitTerminationAsync();
        return [.. sink.RowsOf(query.LastProgress!.BatchId).Select(row => row.Get<string>("value")!).Order(StringComparer.Ordinal)];
    }
}
