using System.Diagnostics;
using System.Globalization;
using Dataflow.Benchmarks.Running;
using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Benchmarks.Cluster;

/// <summary>
/// What a driver costs that has 1,000 workers: its scheduler, its backend and its messages are real, encoded and decoded as on a wire; the executors
/// are played by one thread, which ends every task at once.
/// </summary>
internal static class ScaleBenchmarks
{
    /// <summary>The child that measures itself.</summary>
    public const string Work = "thousand-workers";

    private const int Workers = 1000;
    private const int Slots = 8;
    private const int JobsAtOnce = 4;
    private static readonly int[] Stages = [8000, 1500, 500];

    public static IEnumerable<Benchmark> All { get; } = [new("driver of 1,000 workers", Driver)];

    private static IEnumerable<Measurement> Driver(Session session)
    {
        var child = Children.Start(Work, session.Size(100).ToString(CultureInfo.InvariantCulture));
        const string what = "driver of 1,000 workers x 8 slots, jobs of 8,000 + 1,500 + 500 tasks";
        yield return new($"{what}: CPU a task", "us", child.Figures[0], null, 50, 15);
        yield return new($"{what}: peak private memory", "MB", child.PeakBytes / 1e6, null, 1000, 300);
    }

    /// <summary>Runs so many jobs, and prints microseconds of the driver's CPU a task: those of the process without those of the thread that plays the executors.</summary>
    public static int Child(string[] arguments)
    {
        var jobs = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        var folder = Directory.CreateTempSubdirectory("dataflow-benchmark-");
        try
        {
            // Hosts are not this machine's, so nothing that a driver would do for a neighbour happens.
            var options = new DataflowOptions { Progress = false, TempFolder = folder.FullName };
            using var executors = new PlayedExecutors();
            DataflowContext context = null!;
            var backend = new ClusterBackend(
                new DriverBlocks(new ApplicationFiles(folder.FullName)), ExecutorSettings.Write(options), id => context.FindAccumulator(id), null!, executors);
            var dispatcher = new ThreadDispatcher("dataflow scheduler");
            context = DataflowContext.On(executors.Watch(backend), options, dispatcher, TimeProvider.System);
            using (dispatcher)
            using (context)
            {
                backend.MapOutputs = context.Loop.MapOutputs;
                for (var worker = 0; worker < Workers; worker++) executors.Add(backend, worker, Slots);
                executors.WaitForAll();

                Run(context, JobsAtOnce);
                var (before, played) = (Process.GetCurrentProcess().TotalProcessorTime, executors.ProcessorTime);
                Run(context, jobs);
                var driver = Process.GetCurrentProcess().TotalProcessorTime - before - (executors.ProcessorTime - played);
                Console.WriteLine((driver.TotalMicroseconds / jobs / Stages.Sum()).ToString(CultureInfo.InvariantCulture));
            }
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Run(DataflowContext context, int jobs)
    {
        var left = jobs;
        var threads = Enumerable.Range(0, Math.Min(jobs, JobsAtOnce)).Select(_ => new Thread(() =>
        {
            while (Interlocked.Decrement(ref left) >= 0) RunOne(context);
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
    }

    private static void RunOne(DataflowContext context)
    {
        var (first, second) = (Stages[1], Stages[2]);
        var rdd = new PlacedBlocks(context, Stages[0], Workers)
            .Map(block => ((int)(block % first), block))
            .ReduceByKey(static (a, b) => a + b, first)
            .Map(pair => (pair.Key % second, pair.Value))
            .ReduceByKey(static (a, b) => a + b, second);
        var results = context.RunJob(rdd, static rows => rows.LongCount());
        if (results.Length != second || results.Any(static result => result != PlayedExecutors.Result)) throw new InvalidOperationException("A job lost a result.");
    }

    /// <summary>A file of so many blocks, each of which three machines hold.</summary>
    private sealed class PlacedBlocks(DataflowContext context, int blocks, int hosts) : Rdd<long>(context, "Blocks")
    {
        public override IReadOnlyList<Dependency> Dependencies => [];

        public override IReadOnlyList<string> PreferredLocations(Partition partition) =>
            [.. Enumerable.Range(1, 3).Select(copy => PlayedExecutors.HostOf((int)(partition.Index * 7919L * copy % hosts)))];

        protected internal override Partition[] GetPartitions() => [.. Enumerable.Range(0, blocks).Select(static index => new BlockPartition(index))];

        protected internal override ChunkReader<long> Compute(Partition partition, TaskContext task) =>
            throw new InvalidOperationException("These tasks are only said to have run.");
    }

    private sealed record BlockPartition(int Index) : Partition(Index);
}
