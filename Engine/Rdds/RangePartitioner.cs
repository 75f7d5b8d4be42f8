using Dataflow.Closures;
using Dataflow.Sorting;

namespace Dataflow;

/// <summary>Places keys by range: all keys of a partition come before those of the next, in the order it was made with.</summary>
/// <typeparam name="TKey">The key type.</typeparam>
public sealed class RangePartitioner<TKey> : Partitioner<TKey>
{
    /// <summary>Bytes of rows that one range within a partition should have: sorted at once, in about the processor's cache.</summary>
    private const long RangeBytes = 16 << 20;

    [DriverOnly]
    private readonly SemaphoreSlim _settling = new(1);
    [DriverOnly]
    private Func<CancellationToken, Task<KeySample<TKey>[]>>? _sample;
    private TKey[] _bounds = [];
    private RangeBounds<TKey>? _ranges;

    /// <summary>Places keys by given bounds.</summary>
    /// <param name="bounds">Ascending (or descending) without repetition; bound i is the first key of partition i + 1.</param>
    /// <param name="descending">True for the largest keys first.</param>
    /// <param name="comparer">The order; null takes the natural one, ordinal for strings.</param>
    /// <exception cref="ArgumentException">Bounds are not in order.</exception>
    public RangePartitioner(IReadOnlyList<TKey> bounds, bool descending = false, IComparer<TKey>? comparer = null)
    {
        ArgumentNullException.ThrowIfNull(bounds);
        Order = new KeyOrder<TKey>(descending, comparer);
        for (var i = 1; i < bounds.Count; i++)
        {
            if (Order.Compare(bounds[i - 1], bounds[i]) >= 0)
                throw new ArgumentException($"Bounds must be in order without repetition, but bound {i - 1} is '{bounds[i - 1]}' and bound {i} is '{bounds[i]}'.", nameof(bounds));
        }
        PartitionCount = bounds.Count + 1;
        _bounds = [.. bounds];
        _ranges = new RangeBounds<TKey>(_bounds, Order);
    }

    /// <summary>Places keys by bounds that a sample gives, taken when partitions are first needed.</summary>
    internal RangePartitioner(int partitions, KeyOrder<TKey> order, Func<CancellationToken, Task<KeySample<TKey>[]>> sample)
    {
        Order = order;
        PartitionCount = partitions;
        _sample = sample;
    }

    /// <inheritdoc/>
    public override int PartitionCount { get; }

    /// <summary>The first key of each partition but the first; fewer than partitions if there are few distinct keys.</summary>
    public IReadOnlyList<TKey> Bounds
    {
        get
        {
            Rdd<TKey>.Wait(SettleAsync(CancellationToken.None));
            return _bounds;
        }
    }

    internal KeyOrder<TKey> Order { get; }

    /// <summary>Ranges over all partitions: partition p has the ranges from p * <see cref="RangesPerPartition"/>.</summary>
    internal RangeBounds<TKey> Ranges
    {
        get
        {
            Rdd<TKey>.Wait(SettleAsync(CancellationToken.None));
            return _ranges!;
        }
    }

    internal int RangesPerPartition { get; private set; } = 1;

    /// <inheritdoc/>
    public override int PartitionOf(TKey key) => Ranges.RangeOf(key) / RangesPerPartition;

    /// <inheritdoc/>
    public override bool Equals(object? obj)
    {
        if (ReferenceEquals(this, obj)) return true;
        return obj is RangePartitioner<TKey> other && _sample is null && other._sample is null && PartitionCount == other.PartitionCount
            && Order.SameAs(other.Order) && _bounds.SequenceEqual(other._bounds);
    }

    /// <inheritdoc/>
    public override int GetHashCode() => PartitionCount;

    /// <inheritdoc/>
    public override string ToString() => $"RangePartitioner({PartitionCount}{(Order.Descending ? ", descending" : "")})";

    /// <summary>Takes the sample if that has not happened yet. Runs a job; called on the driver before tasks need the bounds.</summary>
    internal override async Task SettleAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _ranges) is not null) return;
        await _settling.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_ranges is not null) return;
            var samples = await _sample!(cancellationToken).ConfigureAwait(false);
            _sample = null;
            var bytes = samples.Sum(sample => sample.Bytes);
            RangesPerPartition = (int)Math.Clamp(bytes / RangeBytes / PartitionCount + 1, 1, Math.Max(1, 1024 / PartitionCount));
            var bounds = KeySample<TKey>.Bounds(samples, Order, PartitionCount * RangesPerPartition);
            _bounds = [.. bounds.Where((_, i) => (i + 1) % RangesPerPartition == 0)];
            Volatile.Write(ref _ranges, new RangeBounds<TKey>(bounds, Order));
        }
        finally
        {
            _settling.Release();
        }
    }
}
