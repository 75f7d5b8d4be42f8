using System.Diagnostics;
using System.Globalization;
using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Cluster;

/// <summary>How soon tasks of a dead executor run again, and what a worker costs that has nothing to do.</summary>
internal static class WorkerBenchmarks
{
    private const int Tasks = 4;

    public static IEnumerable<Benchmark> All { get; } =
    [
        new("a killed executor's tasks run elsewhere", Recovery),
        new("memory of an idle worker", Memory),
    ];

    private static IEnumerable<Measurement> Recovery(Session session)
    {
        // Slots enough for all tasks at either: those of the dead one need not wait.
        using var cluster = new LocalExecutors(2, cores: Tasks);
        var times = Enumerable.Range(0, session.Quick ? 2 : 7).Select(_ => OneRecovery(cluster)).ToArray();
        yield return new("kill -9 of an executor to its tasks running elsewhere", "ms", Session.Median(times), null, 2000, 500);
    }

    private static double OneRecovery(LocalExecutors cluster)
    {
        var folder = Directory.CreateTempSubdirectory("dataflow-benchmark-");
        try
        {
            var (running, release) = (Path.Combine(folder.FullName, "running-"), Path.Combine(folder.FullName, "release"));

            // Every task says which process it is in, and waits.
            var job = Task.Run(() => cluster.Context.Range(0, Tasks, partitions: Tasks).Map(task =>
            {
                File.WriteAllText($"{running}{task}-{Environment.ProcessId}", "");
                while (!File.Exists(release)) Thread.Sleep(1);
                return task;
            }).Count());
            string[] Running() => [.. Directory.GetFiles(folder.FullName, "running-*").Select(Path.GetFileName).OfType<string>()];
            WaitUntil(() => Running().Length == Tasks, job);

            var dead = Running()[0].Split('-')[^1];
            var tasks = Running().Where(name => name.EndsWith($"-{dead}", StringComparison.Ordinal)).Select(name => name.Split('-')[1]).ToArray();
            using var victim = Process.GetProcessById(int.Parse(dead, CultureInfo.InvariantCulture));
            var start = Stopwatch.GetTimestamp();
            victim.Kill();
            WaitUntil(() => tasks.All(task => Running().Count(name => name.StartsWith($"running-{task}-", StringComparison.Ordinal)) > 1), job);
            var milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;

            File.WriteAllText(release, "");
            if (job.GetAwaiter().GetResult() != Tasks) throw new InvalidOperationException("The job lost a task.");
            cluster.WaitForAll();
            return milliseconds;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static IEnumerable<Measurement> Memory(Session session)
    {
        var figures = new List<double>();
        for (var i = 0; i < (session.Quick ? 1 : 3); i++)
        {
            using var cluster = new LocalExecutors(1, cores: 2);
            cluster.Context.Range(0, 100, partitions: 4).Count();
            figures.Add(cluster.ResidentBytes(0) / 1e6);
        }
        yield return new("resident memory of an idle worker", "MB", Session.Median(figures), null, 80, 62);
    }

    private static void WaitUntil(Func<bool> isDone, Task job)
    {
        if (!SpinWait.SpinUntil(() => isDone() || job.IsCompleted, TimeSpan.FromMinutes(1)))
            throw new TimeoutException("Tasks did not start within a minute.");
        if (job.IsCompleted) throw new InvalidOperationException("The job ended before its tasks were let go.", job.Exception);
    }
}
