using System.Diagnostics;
using Dataflow.Benchmarks.Rdds;
using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Cluster;

/// <summary>Whole jobs on executors that are processes of this machine, against the same jobs in one process.</summary>
internal static class JobBenchmarks
{
    public static IEnumerable<Benchmark> All { get; } =
    [
        new("word count on a cluster", WordCount),
        new("page rank on a cluster", PageRank),
        new("a second executor", SecondExecutor),
        new("empty tasks on a cluster", EmptyTasks),
        new("a worker joins", Join),
    ];

    private static IEnumerable<Measurement> WordCount(Session session)
    {
        var folder = Directory.CreateTempSubdirectory("dataflow-benchmark-");
        try
        {
            var path = Path.Combine(folder.FullName, "text.txt");
            TextBenchmarks.WriteText(path, session.Size(1_000_000_000));
            yield return Against(session, "word count 1 GB", context => context.TextFile(path, minPartitions: 8)
                .FlatMap(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Map(static word => (word, 1L))
                .ReduceByKey(static (a, b) => a + b, partitions: 4)
                .Aggregate((0L, 0L), static (sum, pair) => (sum.Item1 + 1, sum.Item2 + pair.Value), static (a, b) => (a.Item1 + b.Item1, a.Item2 + b.Item2)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static IEnumerable<Measurement> PageRank(Session session)
    {
        var pages = session.Size(500_000);
        yield return Against(session, "page rank, 500,000 pages, 5 rounds", context =>
        {
            var placement = new HashPartitioner<int>(4);
            var links = context.Range(0, pages, partitions: 4)
                .Map(page => ((int)page, Enumerable.Range(1, 8).Select(i => (int)((page * 7919 + i * 104_729L * i) % pages)).ToArray()))
                .PartitionBy(placement)
                .Cache();
            var ranks = links.MapValues(static _ => 1.0);
            for (var round = 0; round < 5; round++)
            {
                ranks = links.Join(ranks)
                    .FlatMap(static page => page.Value.Left.Select(target => (target, page.Value.Right / page.Value.Left.Length)))
                    .ReduceByKey(static (a, b) => a + b, placement)
                    .MapValues(static rank => 0.15 + (0.85 * rank));
            }
            var answer = Math.Round(ranks.Values().Sum(), 3);
            links.Unpersist();
            return answer;
        });
    }

    /// <summary>A job that only computes, on one executor and then on two.</summary>
    private static IEnumerable<Measurement> SecondExecutor(Session session)
    {
        var steps = (long)session.Size(400_000_000);
        double Time(int executors)
        {
            using var cluster = new LocalExecutors(executors, cores: 1);
            double Sum() => cluster.Context.Range(0, steps, partitions: 16).Map(i => (i + 0.5) / steps).Map(static x => 4.0 / (1.0 + x * x)).Sum();
            Sum();

            // The best of several: with both processors busy, whatever else runs on the machine is taken from one of two executors.
            return Enumerable.Range(0, 10).Min(_ =>
            {
                Session.Time(Sum, out var milliseconds);
                return milliseconds;
            });
        }

        yield return new("speed of a computing job on two executors / on one", "runs/s", 1000 / Time(2), 1000 / Time(1), 1.8, 1.95, HigherIsBetter: true);
    }

    private static IEnumerable<Measurement> EmptyTasks(Session session)
    {
        using var cluster = new LocalExecutors(2, cores: 4);
        var tasks = session.Size(100_000);
        void Run() => cluster.Context.Range(0, tasks, partitions: tasks).ForEachPartition(static _ => { });
        Run();
        var best = double.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            var start = Stopwatch.GetTimestamp();
            Run();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        yield return new("empty tasks across processes, 2 executors x 4 slots", "tasks/s", tasks / best, null, 20_000, 60_000, HigherIsBetter: true);
    }

    private static IEnumerable<Measurement> Join(Session session)
    {
        var times = new List<double>();
        for (var i = 0; i < 5; i++)
        {
            using var context = DataflowContext.ListenAsync("http://127.0.0.1:0", LocalExecutors.Options).GetAwaiter().GetResult();
            var start = Stopwatch.GetTimestamp();
            using var workers = new LocalExecutors(context, 1, cores: 1);
            context.Range(0, 1, partitions: 1).Count();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        yield return new("dataflow worker --join to first task done", "ms", Session.Median(times), null, 1500, 600);
    }

    private static Measurement Against<TResult>(Session session, string name, Func<DataflowContext, TResult> job)
    {
        using var cluster = new LocalExecutors(2, cores: 1);
        using var local = Session.Context(Session.Cores);
        var (ours, peer) = session.Duel(() => job(cluster.Context), () => job(local), repetitions: 3);
        return new($"{name}, 2 executors x 1 slot / in one process", "ms", ours, peer, 1.4, 1.15);
    }
}
