using Dataflow.Scheduling;

namespace Dataflow.Storage;

/// <summary>Names one block of data that an executor or worker holds.</summary>
public abstract record BlockId;

/// <summary>A cached partition.</summary>
/// <param name="Rdd">Id of the Rdd.</param>
/// <param name="Partition">Index of the partition.</param>
public sealed record RddBlockId(int Rdd, int Partition) : BlockId
{
    /// <inheritdoc/>
    public override string ToString() => $"rdd_{Rdd}_{Partition}";
}

/// <summary>One piece of a broadcast value.</summary>
/// <param name="Broadcast">Id of the broadcast.</param>
/// <param name="Piece">Index of the piece.</param>
public sealed record BroadcastBlockId(long Broadcast, int Piece) : BlockId
{
    /// <inheritdoc/>
    public override string ToString() => $"broadcast_{Broadcast}_{Piece}";
}

/// <summary>One map output's part for one reduce partition.</summary>
/// <param name="Shuffle">The shuffle.</param>
/// <param name="Map">Index of the map partition.</param>
/// <param name="Reduce">Index of the reduce partition.</param>
public sealed record ShuffleBlockId(ShuffleId Shuffle, int Map, int Reduce) : BlockId
{
    /// <inheritdoc/>
    public override string ToString() => $"shuffle_{Shuffle}_{Map}_{Reduce}";
}
