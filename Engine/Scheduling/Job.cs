using Dataflow.Jobs;

namespace Dataflow.Scheduling;

/// <summary>One action, as the DAG scheduler remembers it.</summary>
internal sealed class Job(JobId id, JobProperties properties, IReadOnlyList<int> partitions, TimeSpan submittedAt)
{
    public JobId Id { get; } = id;

    public JobProperties Properties { get; } = properties;

    /// <summary>The partitions asked for, by task of the result stage; empty when a map stage is all that is wanted.</summary>
    public IReadOnlyList<int> Partitions { get; } = partitions;

    public TimeSpan SubmittedAt { get; } = submittedAt;

    /// <summary>The last stage: of results, or the map stage that is wanted by itself.</summary>
    public Stage Final { get; set; } = null!;

    /// <summary>The stages it needs, the last one included.</summary>
    public HashSet<Stage> Stages { get; } = [];

    /// <summary>Which tasks of the result stage have given their result.</summary>
    public bool[] Finished { get; } = new bool[partitions.Count];

    public int FinishedCount { get; set; }

    /// <summary>Set once it is to end; it ends when nothing of it runs any more.</summary>
    public JobFailure? Failure { get; set; }

    /// <summary>Cancelled stages of which something still runs.</summary>
    public HashSet<StageId> Draining { get; } = [];

    public List<Exception> Abandoned { get; } = [];
}
