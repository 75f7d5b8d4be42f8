using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Rdds;

/// <summary>The engine on one machine.</summary>
internal static class RddSuite
{
    public static Suite Create() => new("rdd",
    [
        .. NarrowBenchmarks.All,
        .. TextBenchmarks.All,
        .. KeyedBenchmarks.All,
        .. SortBenchmarks.All,
        .. JoinBenchmarks.All,
        .. CacheBenchmarks.All,
        .. TaskBenchmarks.All,
        .. StartBenchmarks.All,
    ]);
}
