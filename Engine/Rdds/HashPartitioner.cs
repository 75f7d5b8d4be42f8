using Dataflow.Hashing;

namespace Dataflow;

/// <summary>What all hash partitioners share, whatever their key type: how many partitions.</summary>
public interface IHashPartitioner
{
    /// <summary>How many partitions there are.</summary>
    int PartitionCount { get; }
}

/// <summary>Places keys by a hash that is the same in every process. Null goes to partition 0.</summary>
/// <typeparam name="TKey">The key type; its equality must be one that the engine can hash alike everywhere.</typeparam>
public sealed class HashPartitioner<TKey> : Partitioner<TKey>, IHashPartitioner
{
    /// <summary>Makes a hash partitioner.</summary>
    /// <param name="partitions">How many partitions; at least 1.</param>
    /// <exception cref="KeyException">The key type can't be hashed alike in every process; the message says why and what to do.</exception>
    public HashPartitioner(int partitions)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(partitions);
        Placement.CheckKey<TKey>();
        PartitionCount = partitions;
    }

    /// <inheritdoc/>
    public override int PartitionCount { get; }

    /// <inheritdoc/>
    public override int PartitionOf(TKey key) => StableHash.PartitionOf(StableHash<TKey>.Of(key), PartitionCount);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is HashPartitioner<TKey> other && other.PartitionCount == PartitionCount;

    /// <inheritdoc/>
    public override int GetHashCode() => PartitionCount;

    /// <inheritdoc/>
    public override string ToString() => $"HashPartitioner({PartitionCount})";
}
