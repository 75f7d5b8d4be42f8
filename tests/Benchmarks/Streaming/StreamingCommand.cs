using System.Diagnostics;
using System.Globalization;
using Dataflow.Benchmarks.Running;
using Dataflow.Sql;
using Dataflow.Streaming;
using static Dataflow.Sql.Functions;

namespace Dataflow.Benchmarks.Streaming;

/// <summary>Streams beside the same as a batch, or by hand: <c>streaming [--only rows|windows|sessions|empty|latency|kafka|state|restart]</c>. Best of three; each work in a process of its own, as what one leaves in memory would count for the next.</summary>
internal static class StreamingCommand
{
    public const string Verb = "streaming";
    private const int Rows = 4_000_000;
    private const int RowsOfBatch = 1_000_000;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is ["--soak", var minutes] && double.TryParse(minutes, NumberStyles.Float, CultureInfo.InvariantCulture, out var length))
        {
            await StateWork.SoakAsync(length).ConfigureAwait(false);
            return 0;
        }
        var only = arguments is ["--only", var name] ? name : null;
        if (arguments.Length > 0 && only is null)
        {
            Console.Error.WriteLine("streaming [--only rows|windows|sessions|empty|latency|kafka|state|restart]");
            return 2;
        }
        var work = new (string Name, Func<DataflowContext, Task> Run)[] { ("rows", StatelessAsync), ("windows", WindowsAsync), ("sessions", SessionsAsync), ("empty", SmallBatchesAsync), ("latency", LatencyAsync), ("kafka", KafkaWork.RunAsync), ("state groups", _ => StateWork.LargeAsync()), ("state distinct", _ => StateWork.DistinctAsync()), ("state join", _ => StateWork.JoinAsync()), ("restart", _ => StateWork.RestartAsync()) };
        bool IsWanted(string each) => only is null || only == each || each.StartsWith(only + " ", StringComparison.Ordinal);
        var wanted = work.Where(each => IsWanted(each.Name)).ToArray();
        if (wanted.Length == 0)
        {
            Console.Error.WriteLine($"There is no '{only}'. There are: {string.Join(", ", work.Select(each => each.Name))}.");
            return 2;
        }
        if (wanted is [var one])
        {
            await using var context = DataflowContext.Local(DataflowOptions.Default with { Progress = false });
            await one.Run(context).ConfigureAwait(false);
            return 0;
        }
        var failed = 0;
        foreach (var (each, _) in wanted)
        {
            using var process = Process.Start(Children.This(Verb, "--only", each))!;
            await process.WaitForExitAsync().ConfigureAwait(false);
            failed = Math.Max(failed, process.ExitCode);
        }
        return failed;
    }

    // Filter and projection: rows a second against the same query over all rows at once.
    private static async Task StatelessAsync(DataflowContext context)
    {
        var events = Events(keys: 1000);
        static DataFrame Query(DataFrame frame) => frame.Where(Col("Key") % 10 != 0).Select(Col("At"), Col("Key"), (Col("Amount") * 1.19).As("Gross"));
        var batch = await BestAsync(() =>
        {
            Query(context.FromRecords(events)).MapBatches<long>(batches => [batches.Sum(each => (long)each.Alive)]).Collect();
            return Task.CompletedTask;
        }).ConfigureAwait(false);
        var rows = Stream(context, events);
        var stream = await BestAsync(() => DrainAsync(Query(rows), OutputMode.Append)).ConfigureAwait(false);
        Write("filter and project", Rows / stream / 1e6, Rows / batch / 1e6, "million rows/s", "as a batch");
    }

    // A count by window and key, a million keys: against a dictionary in a loop.
    private static async Task WindowsAsync(DataflowContext context)
    {
        var events = Events(keys: 1_000_000);
        var hand = await BestAsync(() =>
        {
            var counts = new Dictionary<(long Window, int Key), long>();
            foreach (var each in events)
            {
                ref var count = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(counts, (each.At.Ticks / TimeSpan.TicksPerMinute, each.Key), out _);
                count++;
            }
            GC.KeepAlive(counts);
            return Task.CompletedTask;
        }).ConfigureAwait(false);
        var rows = Stream(context, events);
        var stream = await BestAsync(() => DrainAsync(
            rows.WithWatermark("At", TimeSpan.FromMinutes(1)).GroupBy(Window(Col("At"), TimeSpan.FromMinutes(1)), Col("Key")).Agg(Count().As("n")), OutputMode.Append)).ConfigureAwait(false);
        Write("windowed count, a million keys", Rows / stream / 1e6, Rows / hand / 1e6, "million rows/s", "a dictionary by hand");
    }

    // Sessions and sliding windows of a hundred thousand keys: against the same over all rows at once.
    private static async Task SessionsAsync(DataflowContext context)
    {
        var events = Events(keys: 100_000);
        var rows = Stream(context, events);
        await CompareAsync("sessions, 100,000 keys", frame => frame.GroupBy(SessionWindow(Col("At"), TimeSpan.FromSeconds(10)), Col("Key")).Agg(Count().As("n"), Sum("Amount").As("sum"))).ConfigureAwait(false);
        await CompareAsync("four windows a row, 100,000 keys", frame => frame.GroupBy(Window(Col("At"), TimeSpan.FromMinutes(2), TimeSpan.FromSeconds(30)), Col("Key")).Agg(Count().As("n"))).ConfigureAwait(false);

        async Task CompareAsync(string name, Func<DataFrame, DataFrame> query)
        {
            var batch = await BestAsync(() =>
            {
                query(context.FromRecords(events)).MapBatches<long>(batches => [batches.Sum(each => (long)each.Alive)]).Collect();
                return Task.CompletedTask;
            }).ConfigureAwait(false);
            var stream = await BestAsync(() => DrainAsync(query(rows.WithWatermark("At", TimeSpan.FromSeconds(5))), OutputMode.Append)).ConfigureAwait(false);
            Write(name, Rows / stream / 1e6, Rows / batch / 1e6, "million rows/s", "as a batch");
        }
    }

    // What a batch costs that has a row, and one that has none but must give what became final.
    private static async Task SmallBatchesAsync(DataflowContext context)
    {
        await SmallBatchesAsync(context, null, "batch of one row, with state").ConfigureAwait(false);
        var folder = Directory.CreateTempSubdirectory("dataflow-bench-").FullName;
        await SmallBatchesAsync(context, folder, "the same, each on the disk (fsync)").ConfigureAwait(false);
        Directory.Delete(folder, recursive: true);
    }

    private static async Task SmallBatchesAsync(DataflowContext context, string? checkpoint, string name)
    {
        var source = new MemorySource<Event>(context, maxRowsPerTrigger: 1);
        for (var i = 0; i < 2000; i++) source.Add(new Event(Start.AddSeconds(i), i % 7, 1));
        var progress = new List<StreamingProgress>();
        await using var query = context.ReadStream.From(source).GroupBy("Key").Agg(Sum(Col("Amount")).As("Amount"))
            .WriteStream.Start(new NoSink(), new StreamingQueryOptions { OutputMode = OutputMode.Update, Trigger = Trigger.AvailableNow, Checkpoint = checkpoint });
        query.BatchCompleted += progress.Add;
        await query.AwaitTerminationAsync().ConfigureAwait(false);
        var warm = progress.Skip(1000).Select(each => each.Duration.TotalMilliseconds).Order().ToArray();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-40} {warm[warm.Length / 2],8:f2} ms  (99 %: {warm[warm.Length * 99 / 100]:f2} ms)"));
    }

    // From the moment a row is there to that at which the sink has its count: 10,000 rows a second for ten seconds.
    private static async Task LatencyAsync(DataflowContext context)
    {
        var source = new MemorySource<Event>(context);
        var latencies = new List<double>();
        await using var query = context.ReadStream.From(source).GroupBy("Key").Agg(Count().As("n"), Max(Col("At")).As("Latest")).WriteStream.ForeachBatch(
            (rows, _) =>
            {
                var now = DateTimeOffset.UtcNow;
                foreach (var row in rows.Collect()) latencies.Add((now - row.Get<DateTimeOffset>("Latest")).TotalMilliseconds);
                return Task.CompletedTask;
            },
            new StreamingQueryOptions { OutputMode = OutputMode.Update });
        var clock = Stopwatch.StartNew();
        for (var sent = 0; clock.Elapsed < TimeSpan.FromSeconds(10);)
        {
            var due = (int)(clock.Elapsed.TotalSeconds * 10_000);
            if (due > sent) source.Add(Enumerable.Range(sent, due - sent).Select(i => new Event(DateTimeOffset.UtcNow, i % 100, 1)));
            sent = due;
            await Task.Delay(1).ConfigureAwait(false);
        }
        await query.ProcessAllAvailableAsync().ConfigureAwait(false);
        var warm = latencies.Skip(latencies.Count / 4).Order().ToArray();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"latency at 10,000 rows/s, with state",-40} {warm[warm.Length / 2],8:f2} ms  (99 %: {warm[warm.Length * 99 / 100]:f2} ms)"));
    }

    private static Event[] Events(int keys)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, Rows).Select(i => new Event(Start.AddMilliseconds((i / 10) + random.Next(2000)), random.Next(keys), random.Next(100)))];
    }

    private static DataFrame Stream(DataflowContext context, Event[] events)
    {
        var source = new MemorySource<Event>(context, RowsOfBatch);
        foreach (var chunk in events.Chunk(RowsOfBatch)) source.Add(chunk);
        return context.ReadStream.From(source);
    }

    private static async Task DrainAsync(DataFrame stream, OutputMode mode)
    {
        await using var query = stream.WriteStream.Start(new NoSink(), new StreamingQueryOptions { OutputMode = mode, Trigger = Trigger.AvailableNow });
        await query.AwaitTerminationAsync().ConfigureAwait(false);
    }

    private static async Task<double> BestAsync(Func<Task> work)
    {
        var best = double.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            var clock = Stopwatch.StartNew();
            await work().ConfigureAwait(false);
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
        }
        return best;
    }

    private static void Write(string what, double ours, double other, string unit, string name) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-40} {ours,8:f2} {unit}; {name}: {other:f2}; ratio {ours / other:f2}x"));

    private sealed record Event(DateTimeOffset At, int Key, int Amount);

    // Computes all rows, and lets them go.
    private sealed class NoSink : IStreamSink
    {
        public string Name => "nowhere";

        public bool ReadsOnce => true;

        public Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken) => batch.Rows.MapBatches<long>(batches => [batches.Sum(each => (long)each.Alive)]).CollectAsync(cancellationToken);
    }
}
