using System.Diagnostics;
using System.Globalization;
using Dataflow.Sql;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Records;
using Dataflow.Sql.Sources;
using Dataflow.Streaming;
using Dataflow.Tasks;
using static Dataflow.Sql.Functions;

namespace Dataflow.Benchmarks.Streaming;

/// <summary>Much state: groups and rows that do not fit into the budget, a start with a gigabyte of it, and hours of small batches.</summary>
internal static class StateWork
{
    private const long Keys = 20_000_000;
    private const long RestartKeys = 30_000_000;
    private const long RowsOfBatch = 2_000_000;
    private const long WaitingRows = 10_000_000;

    /// <summary>Twenty million groups, each added to twice, then given: within a gigabyte, against as much memory as there is.</summary>
    public static async Task LargeAsync()
    {
        // The budget is that of the process: who has little comes first.
        var inBudget = await CountAsync(1L << 30).ConfigureAwait(false);
        var inMemory = await CountAsync(16L << 30).ConfigureAwait(false);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{"20 million groups, budget of 1 GB",-40} {inBudget.Seconds,8:f1} s, {inBudget.Put >> 20} MB put away; in memory {inMemory.Seconds:f1} s, {inMemory.Put >> 20} MB; ratio {inBudget.Seconds / inMemory.Seconds:f2}x"));
    }

    /// <summary>Ten million distinct keys, then a start, and half of them again: with a fifth of the memory that they take, against as much as there is.</summary>
    public static Task DistinctAsync() => CompareAsync("10 million distinct keys", 128L << 20, WaitingRows, async (context, options, run) =>
    {
        var numbers = new Numbers(context, WaitingRows, 0, WaitingRows);
        DataFrame Query() => context.ReadStream.From(numbers).DropDuplicates("Key");
        await run(Query(), options).ConfigureAwait(false);
        numbers.Rows += WaitingRows / 2;
        await run(Query(), options).ConfigureAwait(false);
    });

    /// <summary>Ten million rows that wait for a row of another stream, then a start, and two million that find one of them: with a fifth of the memory that they take, against as much as there is.</summary>
    public static Task JoinAsync() => CompareAsync("10 million rows that wait in a join", 192L << 20, 2_000_000, async (context, options, run) =>
    {
        var (left, right) = (new Numbers(context, WaitingRows, 0, WaitingRows), new Numbers(context, 0, 0, WaitingRows));
        DataFrame Query()
        {
            context.ReadStream.From(left).CreateTempView("waiting");
            context.ReadStream.From(right).CreateTempView("coming");
            return context.Sql("SELECT w.Key, w.At, c.At AS Came FROM waiting w JOIN coming c ON w.Key = c.Key");
        }
        await run(Query(), options).ConfigureAwait(false);
        right.Rows += 2_000_000;
        await run(Query(), options).ConfigureAwait(false);
    });

    private static async Task CompareAsync(string name, long little, long rows, Func<DataflowContext, StreamingQueryOptions, Func<DataFrame, StreamingQueryOptions, Task>, Task> work)
    {
        var bounded = await Run(little).ConfigureAwait(false);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-40} {bounded.Seconds,8:f1} s, {bounded.Memory >> 20} MB of memory and {bounded.Files >> 20} MB of files"));
        var plenty = await Run(16L << 30).ConfigureAwait(false);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"",-40} {plenty.Seconds,8:f1} s in {plenty.Memory >> 20} MB of memory; ratio {bounded.Seconds / plenty.Seconds:f2}x"));

        async Task<(double Seconds, long Memory, long Files)> Run(long memory)
        {
            var folder = Directory.CreateTempSubdirectory("dataflow-rows-").FullName;
            try
            {
                await using var context = DataflowContext.Local(DataflowOptions.Default with { Progress = false });
                var (sink, most) = (new CountingSink(), (Memory: 0L, Files: 0L));
                var clock = Stopwatch.StartNew();
                await work(context, new StreamingQueryOptions { Checkpoint = folder, Trigger = Trigger.AvailableNow, StateMemoryBytes = memory }, async (frame, options) =>
                {
                    await using var query = frame.WriteStream.Start(sink, options);
                    query.BatchCompleted += _ =>
                    {
                        var taken = context.Range(0, 1, 1).Map(_ => (
                            TaskContext.Current!.Services.Memory.Consumers.Where(each => each.Consumer.StartsWith("stream ", StringComparison.Ordinal)).Sum(each => each.Bytes),
                            TaskContext.Current!.Services.Temp.MappedBytes)).Collect().Single();
                        most = (Math.Max(most.Memory, taken.Item1), Math.Max(most.Files, taken.MappedBytes));
                    };
                    await query.AwaitTerminationAsync().ConfigureAwait(false);
                }).ConfigureAwait(false);
                if (sink.Rows != rows) throw new InvalidDataException($"There were to be {rows} rows, and {sink.Rows} were given.");
                return (clock.Elapsed.TotalSeconds, most.Memory, most.Files);
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    /// <summary>From the start of a query to its first batch, with much state in its checkpoint.</summary>
    public static async Task RestartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("dataflow-restart-").FullName;
        try
        {
            await using var context = DataflowContext.Local(DataflowOptions.Default with { Progress = false });
            var numbers = new Numbers(context, RestartKeys, 0);
            var options = new StreamingQueryOptions { Checkpoint = folder, Trigger = Trigger.AvailableNow, OutputMode = OutputMode.Update, StateMemoryBytes = 16L << 30 };
            DataFrame Query() => context.ReadStream.From(numbers).GroupBy("Key").Agg(Count().As("n"), Sum("Key").As("sum"), Max("At").As("latest"));
            await using (var query = Query().WriteStream.Start(new CountingSink(), options)) await query.AwaitTerminationAsync().ConfigureAwait(false);
            var bytes = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
            numbers.Rows++;
            var clock = Stopwatch.StartNew();
            await using (var query = Query().WriteStream.Start(new CountingSink(), options)) await query.AwaitTerminationAsync().ConfigureAwait(false);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"restart to the first batch",-40} {clock.Elapsed.TotalSeconds,8:f2} s, with {bytes >> 20} MB of checkpoint, {numbers.Rows - 1} groups"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Small batches for some minutes: memory, handles and files are to stay as they are.</summary>
    public static async Task SoakAsync(double minutes)
    {
        var folder = Directory.CreateTempSubdirectory("dataflow-soak-").FullName;
        try
        {
            await using var context = DataflowContext.Local(DataflowOptions.Default with { Progress = false });
            var numbers = new Numbers(context, 0, 20_000);
            var counted = context.ReadStream.From(numbers).WithWatermark("At", TimeSpan.FromSeconds(10)).DropDuplicates("Key", "At").GroupBy(Window(Col("At"), TimeSpan.FromSeconds(5)), Col("Key")).Agg(Count().As("n"));
            await using var query = counted.WriteStream.Start(FileSink.Json(Path.Combine(folder, "out")), new StreamingQueryOptions { Checkpoint = Path.Combine(folder, "checkpoint") });
            var clock = Stopwatch.StartNew();
            for (var said = TimeSpan.Zero; clock.Elapsed.TotalMinutes < minutes;)
            {
                numbers.Rows += 1000;
                await query.ProcessAllAvailableAsync().ConfigureAwait(false);

                // What was written is not what is looked at.
                if (Directory.Exists(Path.Combine(folder, "out"))) Directory.Delete(Path.Combine(folder, "out"), recursive: true);
                if (clock.Elapsed - said < TimeSpan.FromMinutes(minutes / 10)) continue;
                said = clock.Elapsed;
                using var process = Process.GetCurrentProcess();
                var files = Directory.GetFiles(Path.Combine(folder, "checkpoint"), "*", SearchOption.AllDirectories);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"after {said.TotalMinutes,5:f1} min: batch {query.LastProgress!.BatchId,7}, {query.LastProgress.StateRows,7} rows in state, {process.WorkingSet64 >> 20,5} MB resident, {GC.GetTotalMemory(true) >> 20,4} MB of objects, "
                    + $"{Directory.GetFileSystemEntries("/proc/self/fd").Length,4} handles, {process.Threads.Count,3} threads, {files.Length,4} files of {files.Sum(file => new FileInfo(file).Length) >> 10,6} KB"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<(double Seconds, long Put)> CountAsync(long budget)
    {
        var folder = Directory.CreateTempSubdirectory("dataflow-state-").FullName;
        try
        {
            await using var context = DataflowContext.Local(DataflowOptions.Default with { Progress = false, MemoryBytes = budget });
            var (numbers, sink) = (new Numbers(context, 2 * Keys, 0), new CountingSink());
            var counted = context.ReadStream.From(numbers).WithWatermark("At", TimeSpan.FromSeconds(1)).GroupBy(Window(Col("At"), TimeSpan.FromHours(1)), Col("Key")).Agg(Count().As("n"), Sum("Key").As("sum"));
            var put = 0L;
            var clock = Stopwatch.StartNew();
            await using (var query = counted.WriteStream.Start(sink, new StreamingQueryOptions { Checkpoint = folder, Trigger = Trigger.AvailableNow }))
            {
                query.BatchCompleted += progress => put = Math.Max(put, Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(file => file.EndsWith(".run", StringComparison.Ordinal) || file.EndsWith(".part", StringComparison.Ordinal) || file.EndsWith(".base", StringComparison.Ordinal)).Sum(file => new FileInfo(file).Length));
                await query.AwaitTerminationAsync().ConfigureAwait(false);
                numbers.Rows++;
            }
            var seconds = clock.Elapsed.TotalSeconds;

            // A row far behind makes all groups final: that they are given counts too.
            clock.Restart();
            numbers.IsAtEnd = true;
            for (var i = 0; i < 2; i++)
            {
                await using var query = counted.WriteStream.Start(sink, new StreamingQueryOptions { Checkpoint = folder, Trigger = Trigger.AvailableNow });
                await query.AwaitTerminationAsync().ConfigureAwait(false);
            }
            if (sink.Rows != Keys) throw new InvalidDataException($"There were {Keys} groups, and {sink.Rows} were given.");
            return (seconds + clock.Elapsed.TotalSeconds, put);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed record Number(DateTimeOffset At, long Key);

    // Rows that are made when they are read: numbers in an order that looks random, each as often as they fit; times stand still, or go on with the rows.
    private sealed class Numbers(DataflowContext context, long rows, long rowsOfSecond, long keys = Keys) : IStreamSource, IStreamReader
    {
        private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public long Rows { get; set; } = rows;

        public bool IsAtEnd { get; set; }

        public string Name => "numbers";

        public Schema Schema => RecordShape<Number>.Find().Schema;

        public IStreamReader Open(string folder) => this;

        public ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellationToken)
        {
            var from = start is null ? 0 : long.Parse(start, CultureInfo.InvariantCulture);
            return new(from == Rows ? start : Math.Min(Rows, from + RowsOfBatch).ToString(CultureInfo.InvariantCulture));
        }

        public ITable Read(string? start, string end)
        {
            var (from, to, perSecond, isAtEnd, distinct) = (start is null ? 0 : long.Parse(start, CultureInfo.InvariantCulture), long.Parse(end, CultureInfo.InvariantCulture), rowsOfSecond, IsAtEnd, keys);
            return new RecordTable<Number>(context.Range(from, to).Map(i => new Number(
                perSecond > 0 ? Start.AddSeconds(i / (double)perSecond) : isAtEnd ? Start.AddDays(1) : Start, perSecond > 0 ? i * 7919 % 997 : i * 7_368_787 % distinct)), to - from);
        }

        public void Dispose() { }
    }

    private sealed class CountingSink : IStreamSink
    {
        public long Rows { get; private set; }

        public string Name => "a count";

        public bool ReadsOnce => true;

        public async Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken) =>
            Rows += (await batch.Rows.MapBatches<long>(batches => [batches.Sum(each => (long)each.Alive)]).CollectAsync(cancellationToken).ConfigureAwait(false)).Sum();
    }
}
