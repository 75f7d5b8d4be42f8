using System.Runtime.CompilerServices;
using Dataflow.Caching;
using Dataflow.Compression;
using Dataflow.Serialization;
using Dataflow.Storage;

namespace Dataflow.Shuffle;

/// <summary>
/// Scatters rows into buckets: a few hash ranges for each reduce partition, or the runs of a spill. Rows without references are laid
/// into native memory as they are; others are kept as objects, which become bytes only to spill or travel.
/// </summary>
/// <remarks>Where a run of rows is cut depends on how many there are, never on memory: the same rows give the same segments.</remarks>
/// <typeparam name="TRow">The row type.</typeparam>
internal abstract class RowBuckets<TRow> : IDisposable
{
    /// <summary>Memory that the open ends of all buckets may take together, in bytes.</summary>
    protected const int OpenBytes = 8 << 20;

    private protected RowBuckets(MapOutputWriter output, int tags)
    {
        Output = output;
        Tags = tags;
        Count = output.ReducePartitions * tags;
    }

    public MapOutputWriter Output { get; }

    /// <summary>How many buckets each reduce partition has.</summary>
    public int Tags { get; }

    /// <summary>A checksum of the rows that were encoded on their way, which knows their order; 0 for others.</summary>
    public ulong Checksum { get; protected set; }

    /// <summary>Buckets in all; bucket b belongs to reduce partition b / <see cref="Tags"/> and has the tag b % <see cref="Tags"/>.</summary>
    public int Count { get; }

    /// <summary>Refuses rows that can't be shuffled, when the plan is built: memory pressure may turn rows into bytes at any time.</summary>
    /// <returns>The parent, for constructors to pass on.</returns>
    /// <exception cref="CodecException">The message names the part that can't be encoded.</exception>
    public static Rdd Shuffles(Rdd parent)
    {
        if (RuntimeHelpers.IsReferenceOrContainsReferences<TRow>()) _ = Codec<TRow>.Default;
        return parent;
    }

    /// <param name="output">Where segments go.</param>
    /// <param name="tags">How many buckets each reduce partition has.</param>
    /// <param name="fresh">Whether readers change the rows they get: they are kept as bytes then, and each reader makes objects of its own.</param>
    public static RowBuckets<TRow> Make(MapOutputWriter output, int tags, bool fresh = false) =>
        RuntimeHelpers.IsReferenceOrContainsReferences<TRow>()
            ? new ObjectRowBuckets<TRow>(output, tags, fresh)
            : new NativeRowBuckets<TRow>(output, tags);

    /// <summary>Adds row i to bucket <paramref name="buckets"/>[i].</summary>
    public abstract void Add(ReadOnlySpan<int> buckets, ReadOnlySpan<TRow> rows);

    /// <summary>Gives back open buffers of a task that failed. Safe after <see cref="Finish"/>.</summary>
    public abstract void Dispose();

    /// <summary>Hands over what is still open. No row may follow.</summary>
    public abstract void Finish();

    protected int SegmentBytes => Math.Clamp((int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(OpenBytes / Count) / 2 + 1), 4 << 10, 256 << 10);
}

/// <inheritdoc cref="RowBuckets{TRow}"/>
internal sealed unsafe class NativeRowBuckets<TRow> : RowBuckets<TRow>
{
    private struct Bucket
    {
        public byte* Next;
        public byte* End;
        public NativeBuffer? Buffer;
    }

    private readonly Bucket[] _buckets;

    public NativeRowBuckets(MapOutputWriter output, int tags) : base(output, tags) => _buckets = new Bucket[Count];

    public override void Add(ReadOnlySpan<int> buckets, ReadOnlySpan<TRow> rows)
    {
        var all = _buckets;
        for (var i = 0; i < rows.Length; i++)
        {
            ref var bucket = ref all[buckets[i]];
            if (bucket.Next == bucket.End) Renew(buckets[i]);
            Unsafe.WriteUnaligned(bucket.Next, rows[i]);
            bucket.Next += Unsafe.SizeOf<TRow>();
        }
    }

    public override void Finish()
    {
        for (var i = 0; i < _buckets.Length; i++)
        {
            if (_buckets[i].Buffer is not null) HandOver(i);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Renew(int index)
    {
        // The first piece of a bucket is small, so that a thousand buckets of a few rows stay cheap.
        var first = _buckets[index].Buffer is null;
        if (!first) HandOver(index);
        var rows = Math.Max(1, (first ? 4 << 10 : SegmentBytes) / Unsafe.SizeOf<TRow>());
        var buffer = Output.Pool.Rent(rows * Unsafe.SizeOf<TRow>());
        ref var bucket = ref _buckets[index];
        bucket.Buffer = buffer;
        bucket.Next = buffer.Pointer;
        bucket.End = buffer.Pointer + (long)rows * Unsafe.SizeOf<TRow>();
    }

    private void HandOver(int index)
    {
        ref var bucket = ref _buckets[index];
        var buffer = bucket.Buffer!;
        var length = (int)(bucket.Next - buffer.Pointer);
        bucket = default;
        Output.Add(index / Tags, index % Tags, buffer, length, length / Unsafe.SizeOf<TRow>());
    }

    /// <summary>Gives back open buffers of a task that failed.</summary>
    public override void Dispose()
    {
        foreach (ref var bucket in _buckets.AsSpan())
        {
            bucket.Buffer?.Dispose();
            bucket = default;
        }
    }
}

/// <inheritdoc cref="RowBuckets{TRow}"/>
internal sealed class ObjectRowBuckets<TRow> : RowBuckets<TRow>
{
    private struct Bucket
    {
        public TRow[]? Rows;
        public int Count;
    }

    private readonly Bucket[] _buckets;
    private readonly SizeEstimator<TRow> _sizes = new();
    private readonly int _segmentRows;
    private readonly bool _fresh;
    private readonly bool _repeatable;

    public ObjectRowBuckets(MapOutputWriter output, int tags, bool fresh) : base(output, tags)
    {
        _fresh = fresh;
        _repeatable = fresh && Codec<TRow>.Default.IsRepeatable;
        _buckets = new Bucket[Count];
        _segmentRows = Math.Clamp(SegmentBytes / Unsafe.SizeOf<TRow>(), 64, 2048);
    }

    public override void Add(ReadOnlySpan<int> buckets, ReadOnlySpan<TRow> rows)
    {
        var all = _buckets;
        for (var i = 0; i < rows.Length; i++)
        {
            ref var bucket = ref all[buckets[i]];
            var array = bucket.Rows;
            if (array is null || (uint)bucket.Count >= (uint)array.Length) array = Renew(buckets[i]);
            array[bucket.Count++] = rows[i];
        }
    }

    public override void Finish()
    {
        for (var i = 0; i < _buckets.Length; i++)
        {
            if (_buckets[i].Rows is not null) HandOver(i);
        }
    }

    public override void Dispose() => Array.Clear(_buckets);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private TRow[] Renew(int index)
    {
        ref var bucket = ref _buckets[index];
        if (bucket.Rows is { Length: var length } && length < _segmentRows)
        {
            Array.Resize(ref bucket.Rows, Math.Min(_segmentRows, length * 4));
            return bucket.Rows;
        }
        if (bucket.Rows is not null) HandOver(index);
        bucket.Count = 0;
        return bucket.Rows = new TRow[16];
    }

    private void HandOver(int index)
    {
        ref var bucket = ref _buckets[index];
        var rows = bucket.Rows!;
        var count = bucket.Count;
        bucket = default;
        if (_fresh) AddEncoded(index, rows.AsSpan(0, count));
        else Output.Add(index / Tags, index % Tags, rows, count, (long)count * Unsafe.SizeOf<TRow>() + _sizes.ReferencedBytes(rows.AsSpan(0, count)));
    }

    private void AddEncoded(int index, ReadOnlySpan<TRow> rows)
    {
        using var writer = new BlockWriter();
        Codec<TRow>.Default.Write(writer, rows);
        var buffer = Output.Pool.Rent(Math.Max(writer.Length, 1));
        writer.Written.CopyTo(buffer.Span);
        if (_repeatable)
        {
            var crc = Crc32C.Of(writer.Written);
            Checksum += Fingerprint<uint>.Of((uint)index, in crc);
        }
        Output.Add(index / Tags, index % Tags, buffer, writer.Length, rows.Length);
    }
}
