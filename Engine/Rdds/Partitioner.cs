namespace Dataflow;

/// <summary>
/// Places keys: the same key goes to the same partition, in every process. Two Rdds with equal partitioners join without a shuffle,
/// so <see cref="object.Equals(object)"/> must say whether two partitioners place every key alike.
/// </summary>
public abstract class Partitioner
{
    /// <summary>How many partitions there are; at least 1.</summary>
    public abstract int PartitionCount { get; }

    /// <summary>Finds out what it needs to place keys; may run a job. Called on the driver before tasks place any.</summary>
    internal virtual Task SettleAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Whether two partitioners place every key alike.</summary>
    /// <inheritdoc/>
    public abstract override bool Equals(object? obj);

    /// <inheritdoc/>
    public abstract override int GetHashCode();
}

/// <summary>A partitioner of one key type: the class to derive from for a placement of one's own.</summary>
/// <typeparam name="TKey">The key type.</typeparam>
public abstract class Partitioner<TKey> : Partitioner
{
    /// <summary>The partition of a key, from 0 to <see cref="Partitioner.PartitionCount"/> - 1.</summary>
    /// <param name="key">The key; may be null where the type allows it.</param>
    public abstract int PartitionOf(TKey key);

    /// <summary>The partitions of many keys at once. The default asks one by one.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="partitions">Receives as many partitions.</param>
    public virtual void PartitionsOf(ReadOnlySpan<TKey> keys, Span<int> partitions)
    {
        for (var i = 0; i < keys.Length; i++) partitions[i] = PartitionOf(keys[i]);
    }
}
