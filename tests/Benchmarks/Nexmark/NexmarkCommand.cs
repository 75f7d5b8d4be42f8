using System.Diagnostics;
using System.Globalization;
using Dataflow.Sql;
using Dataflow.Streaming;

namespace Dataflow.Benchmarks.Nexmark;

/// <summary>Queries over auctions as streams, beside the same over all rows at once: <c>nexmark [--query N] [--rows M] [--batches B]</c>. Best and median of three to forty, within twelve seconds, each in this process.</summary>
internal static class NexmarkCommand
{
    public const string Verb = "nexmark";

    public static async Task<int> RunAsync(string[] arguments)
    {
        var (only, rows, batches) = (-1, 2_000_000, 20);
        for (var i = 0; i < arguments.Length; i += 2)
        {
            if (i + 1 == arguments.Length || !int.TryParse(arguments[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return Usage();
            switch (arguments[i])
            {
                case "--query" when value < NexmarkQueries.Count: only = value; break;
                case "--rows" when value > 0: rows = value; break;
                case "--batches" when value > 0: batches = value; break;
                default: return Usage();
            }
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rows} events in {batches} batches"));
        var events = new NexmarkEvents(rows, batches);
        await using var context = DataflowContext.Local(DataflowOptions.Default with { Progress = false });
        for (var query = 0; query < NexmarkQueries.Count; query++)
        {
            if (only < 0 || only == query) await CompareAsync(context, events, query, rows).ConfigureAwait(false);
        }
        return 0;
    }

    private static int Usage()
    {
        Console.Error.WriteLine("nexmark [--query 0..8] [--rows M] [--batches B]");
        return 2;
    }

    private static async Task CompareAsync(DataflowContext context, NexmarkEvents events, int query, int rows)
    {
        var (batchRows, streamRows) = (0L, 0L);
        var batch = await TimeAsync(async () =>
        {
            context.FromRecords(events.People.SelectMany(piece => piece).ToArray()).CreateTempView("person");
            context.FromRecords(events.Auctions.SelectMany(piece => piece).ToArray()).CreateTempView("auction");
            var bids = events.Bids.SelectMany(piece => piece).ToArray();
            context.FromRecords(bids).CreateTempView("bid");
            context.FromRecords(bids).CreateTempView("bid2");
        }, async () => batchRows = await CountAsync(NexmarkQueries.Of(context, query, isStream: false), CancellationToken.None).ConfigureAwait(false)).ConfigureAwait(false);
        var stream = await TimeAsync(() =>
        {
            View(context, "person", events.People);
            View(context, "auction", events.Auctions);
            View(context, "bid", events.Bids);
            View(context, "bid2", events.Bids);
            return Task.CompletedTask;
        }, async () =>
        {
            var sink = new CountingSink();
            var mode = query == 4 ? OutputMode.Update : OutputMode.Append;
            await using var running = NexmarkQueries.Of(context, query, isStream: true).WriteStream.Start(sink, new StreamingQueryOptions { OutputMode = mode, Trigger = Trigger.AvailableNow });
            await running.AwaitTerminationAsync().ConfigureAwait(false);
            streamRows = sink.Rows;
        }).ConfigureAwait(false);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"q{query} {NexmarkQueries.NameOf(query),-32} {rows / stream.Best / 1e6,8:f2} million events/s; as a batch: {rows / batch.Best / 1e6:f2}; ratio {batch.Best / stream.Best:f2}x, of medians {batch.Median / stream.Median:f2}x; rows {streamRows}, as a batch {batchRows}"));
    }

    // What one Add added is one batch.
    private static void View<T>(DataflowContext context, string name, List<T[]> pieces)
    {
        var source = new MemorySource<T>(context, maxRowsPerTrigger: 1);
        foreach (var piece in pieces) source.Add(piece);
        context.ReadStream.From(source).WithWatermark("At", TimeSpan.FromSeconds(1)).CreateTempView(name);
    }

    // Seconds that the work takes.
    private static async Task<(double Best, double Median)> TimeAsync(Func<Task> prepare, Func<Task> work)
    {
        var (times, all) = (new List<double>(), Stopwatch.StartNew());

        // Streams run for days: what counts is code that has been compiled for good, and no longer has a compiler beside it that takes the time of a core.
        while (times.Count < 3 || (times.Count < Most && all.Elapsed < Least))
        {
            await prepare().ConfigureAwait(false);

            // What was prepared is not collected on the clock; nor looked through whole once more, as the first young collection after a full one does.
            GC.Collect();
            GC.Collect(1);
            var clock = Stopwatch.StartNew();
            await work().ConfigureAwait(false);
            times.Add(clock.Elapsed.TotalSeconds);
        }
        times.Sort();
        return (times[0], times[times.Count / 2]);
    }

    private const int Most = 40;
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(12);

    private static async Task<long> CountAsync(DataFrame frame, CancellationToken cancellation) =>
        (await frame.MapBatches<long>(batches => [batches.Sum(each => (long)each.Alive)]).CollectAsync(cancellation).ConfigureAwait(false)).Sum();

    // Computes all rows, and counts them.
    private sealed class CountingSink : IStreamSink
    {
        public long Rows { get; private set; }

        public string Name => "a count";

        public bool ReadsOnce => true;

        public async Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken) => Rows += await CountAsync(batch.Rows, cancellationToken).ConfigureAwait(false);
    }
}
