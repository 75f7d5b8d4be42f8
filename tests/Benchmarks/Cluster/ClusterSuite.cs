using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Cluster;

/// <summary>What lies between processes.</summary>
internal static class ClusterSuite
{
    public static Suite Create() => new("cluster", [.. JobBenchmarks.All, .. TeraSortBenchmarks.All, .. WorkerBenchmarks.All, .. ScaleBenchmarks.All, .. CollectiveBenchmarks.All, .. WireBenchmarks.All]);
}
