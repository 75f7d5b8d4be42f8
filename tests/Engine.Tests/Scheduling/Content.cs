using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tasks;
using Dataflow.Tracking;

namespace Dataflow.Engine.Tests.Scheduling;

/// <summary>What rows were made from: the version of each indeterminate task that they come from, directly or not.</summary>
/// <param name="Versions">By Rdd and partition.</param>
/// <param name="IsConsistent">False once rows of two versions of the same task have met.</param>
internal sealed record Content(Dictionary<(int Rdd, int Partition), int> Versions, bool IsConsistent)
{
    public static Content Empty { get; } = new([], true);

    public Content With((int Rdd, int Partition) task, int version) => this with { Versions = new(Versions) { [task] = version } };

    public Content Merge(Content other)
    {
        var versions = new Dictionary<(int Rdd, int Partition), int>(Versions);
        var consistent = IsConsistent && other.IsConsistent;
        foreach (var (task, version) in other.Versions)
        {
            if (versions.TryGetValue(task, out var mine) && mine != version) consistent = false;
            versions[task] = version;
        }
        return new Content(versions, consistent);
    }
}

/// <summary>A map output as its server holds it.</summary>
internal sealed record ServedOutput(Content Content, (int Stage, int Attempt) Origin, TaskId Writer);

/// <summary>A task that runs: it reads its inputs one by one, and keeps the partitions of kept Rdds that it computes on its way.</summary>
internal sealed class ChaosTask(StageTask task, ExecutorId executor, WorkerId worker)
{
    public StageTask Task { get; } = task;

    public TaskId Id => Task.Description.Id;

    public ExecutorId Executor { get; } = executor;

    public WorkerId Worker { get; } = worker;

    public bool IsKilled { get; set; }

    /// <summary>What it has read so far, apart from what goes into kept partitions.</summary>
    public Content Content { get; set; } = Content.Empty;

    /// <summary>Map outputs that it has still to read, and the partition they go into; null for its own.</summary>
    public List<(ShuffleDependency Shuffle, int Map, KeptPartition? Into)> Unread { get; } = [];

    /// <summary>Partitions of kept Rdds that it computes.</summary>
    public List<KeptPartition> Kept { get; } = [];

    public void Add(Content content, KeptPartition? into)
    {
        if (into is null) Content = Content.Merge(content);
        else into.Content = into.Content.Merge(content);
    }
}

/// <summary>A partition that is computed to be kept.</summary>
internal sealed class KeptPartition(int rdd, int partition)
{
    public (int Rdd, int Partition) Id { get; } = (rdd, partition);

    public Content Content { get; set; } = Content.Empty;

    /// <summary>Whether it was dropped before it was there.</summary>
    public bool IsDropped { get; set; }
}
