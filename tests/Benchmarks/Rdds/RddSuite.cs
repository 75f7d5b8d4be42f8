using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Rdds;

/// <summary>The engine on one machine.</summary>
internal static class RddSuite
{
    public static Suite Create() => new("rdd",
    [
        .. NarrowBenchmarks.All,
        .. KeyedBenchmarks.All,
        .. JoinBenchmarks.All,
        .. CacheBenchmarks.All,
        .. TaskBenchmarks.All,
        .. StartBenchmarks.All,
    ]);
}
