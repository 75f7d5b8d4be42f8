using Dataflow.Tasks;
using Dataflow.Scheduling;

namespace Dataflow.Cluster;

/// <summary>How an executor is started.</summary>
/// <param name="Application">The application it belongs to.</param>
/// <param name="Executor">Its number.</param>
/// <param name="Driver">Where the driver listens.</param>
/// <param name="Secret">The application's secret.</param>
/// <param name="Host">Name of its machine, as locality compares it.</param>
/// <param name="Slots">How many tasks it runs at once.</param>
/// <param name="MemoryBytes">Its memory, heap and engine data together.</param>
/// <param name="TempFolder">Where it keeps temporary files.</param>
internal sealed record ExecutorStart(
    string Application, ExecutorId Executor, Uri Driver, ClusterToken Secret, string Host, int Slots, long MemoryBytes, string TempFolder)
{
    /// <summary>Addresses of its named resources, by name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Resources { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>The worker that serves its map outputs; null if it serves them itself, and they end with it.</summary>
    public ShuffleServer? Shuffles { get; init; }

    /// <summary>How it listens.</summary>
    public NodeOptions Node { get; init; } = NodeOptions.Default;
}

/// <summary>Who serves the map outputs of an executor.</summary>
/// <param name="Worker">The worker's number.</param>
/// <param name="Url">Where they are fetched.</param>
/// <param name="Folder">Where they are written.</param>
internal sealed record ShuffleServer(WorkerId Worker, Uri Url, string Folder);
