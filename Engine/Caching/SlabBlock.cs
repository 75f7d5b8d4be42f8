using Dataflow.Storage;

namespace Dataflow.Caching;

/// <summary>Slabs packed into native buffers, lent one by one where they lie.</summary>
internal sealed class SlabBlock : StoredBlock<Slab>
{
    private readonly NativeBuffer[] _buffers;
    private readonly Slab[] _slabs;
    private readonly CacheSpace _space;

    public SlabBlock(NativeBuffer[] buffers, Slab[] slabs, CacheSpace space)
    {
        _buffers = buffers;
        _slabs = slabs;
        _space = space;
        MemoryBytes = buffers.Sum(buffer => (long)buffer.Capacity);
    }

    public override MemoryKind Kind => MemoryKind.Native;

    public override ChunkReader<Slab> Open() => new Reader(_slabs);

    protected override void Free()
    {
        foreach (var buffer in _buffers) buffer.Dispose();
        _space.Release(MemoryBytes, MemoryKind.Native);
    }

    // One at a time: they are large, and what encodes them for a disk or a wire looks at its sizes between chunks.
    private sealed class Reader(Slab[] slabs) : ChunkReader<Slab>
    {
        private int _next;

        public override bool TryRead(out ReadOnlySpan<Slab> chunk)
        {
            if (_next < slabs.Length)
            {
                chunk = slabs.AsSpan(_next++, 1);
                return true;
            }
            chunk = default;
            return false;
        }

        protected override void Dispose(bool disposing) => _next = slabs.Length;
    }
}

/// <summary>Copies slabs into native buffers.</summary>
internal sealed unsafe class SlabBlockBuilder(CacheSpace space) : BlockBuilder<Slab>
{
    private const int LeastBytes = 64 << 10;
    private const int MostBytes = 1 << 20;

    private readonly List<NativeBuffer> _buffers = [];
    private readonly List<(int Buffer, int Offset, int Length)> _places = [];
    private long _bytes;
    private int _used;

    public override int Add(ReadOnlySpan<Slab> items)
    {
        for (var i = 0; i < items.Length; i++)
        {
            var needed = items[i].Length + Slab.Slack;
            if ((_buffers.Count == 0 || _used + needed > _buffers[^1].Capacity) && !NextBuffer(needed)) return i;
            items[i].Span.CopyTo(new Span<byte>(_buffers[^1].Pointer + _used, items[i].Length));
            _places.Add((_buffers.Count - 1, _used, items[i].Length));
            _used = (_used + needed + Slab.Alignment - 1) & -Slab.Alignment;
        }
        return items.Length;
    }

    public override StoredBlock<Slab>? Finish()
    {
        Shrink();
        return Gathered();
    }

    public override StoredBlock<Slab> Gathered()
    {
        NativeBuffer[] buffers = [.. _buffers];
        var slabs = _places.ConvertAll(place => new Slab(buffers[place.Buffer].Pointer + place.Offset, place.Length)).ToArray();
        _buffers.Clear();
        _places.Clear();
        return new SlabBlock(buffers, slabs, space);
    }

    public override void Dispose()
    {
        foreach (var buffer in _buffers)
        {
            var capacity = buffer.Capacity;
            buffer.Dispose();
            space.Release(capacity, MemoryKind.Native);
        }
        _buffers.Clear();
    }

    private bool NextBuffer(int needed)
    {
        // As much again as there is, so that small partitions take little and large ones few buffers.
        var capacity = NativePool.CapacityOf((int)Math.Max(needed, Math.Clamp(_bytes, LeastBytes, MostBytes)));
        if (!space.TryReserve(capacity, MemoryKind.Native)) return false;
        _bytes += capacity;
        _buffers.Add(space.Pool.Rent(capacity, "cached block"));
        _used = 0;
        return true;
    }

    // The last buffer is seldom full: its slabs move to one that fits, if that saves at least half of it.
    private void Shrink()
    {
        if (_buffers.Count == 0) return;
        var large = _buffers[^1];
        var capacity = NativePool.CapacityOf(Math.Min(_used, large.Capacity));
        if (capacity >= large.Capacity || !space.TryReserve(capacity, MemoryKind.Native)) return;
        var small = space.Pool.Rent(capacity, "cached block");
        new ReadOnlySpan<byte>(large.Pointer, Math.Min(_used, large.Capacity)).CopyTo(small.Span);
        var released = large.Capacity;
        large.Dispose();
        space.Release(released, MemoryKind.Native);
        _buffers[^1] = small;
    }
}
