using System.Diagnostics;
using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Cluster;

/// <summary>Collectives between executors that are processes of this machine.</summary>
internal static class CollectiveBenchmarks
{
    private const int Rounds = 3000;
    private const int Doubles = 8192;

    public static IEnumerable<Benchmark> All { get; } = [new("allreduce on a cluster", AllReduce)];

    private static IEnumerable<Measurement> AllReduce(Session session)
    {
        var rounds = session.Size(Rounds);
        yield return new($"allreduce of 64 KB, {rounds:N0} rounds, 2 executors", "s", Seconds(2, rounds), null, 1.2, 0.6);
        yield return new($"allreduce of 64 KB, {rounds:N0} rounds, 4 executors", "s", Seconds(4, rounds), null, 4, 2);
    }

    private static double Seconds(int executors, int rounds)
    {
        using var cluster = new LocalExecutors(executors, cores: 1);

        // Timed within the job, from one round that all have come to, so that starting the stage is not in it.
        double Run() => cluster.Context.Range(0, executors, partitions: executors).Barrier().MapPartitions((barrier, _) =>
        {
            var vector = new double[Doubles];
            vector.AsSpan().Fill(barrier.TaskIndex);
            barrier.Collectives.Barrier();
            var start = Stopwatch.GetTimestamp();
            for (var round = 0; round < rounds; round++) barrier.Collectives.AllReduce(vector.AsSpan());
            return new[] { Stopwatch.GetElapsedTime(start).TotalSeconds };
        }).Collect().Max();

        Run();
        return Session.Median(Enumerable.Range(0, 5).Select(_ => Run()));
    }
}
