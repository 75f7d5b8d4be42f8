namespace Dataflow.Shuffle;

/// <summary>Takes the segments of one map output and registers them, all or none, when the task ends well.</summary>
public abstract class MapOutputWriter
{
    /// <summary>How many reduce partitions the output is cut into.</summary>
    public abstract int ReducePartitions { get; }
}
