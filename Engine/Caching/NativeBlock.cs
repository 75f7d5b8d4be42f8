using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Storage;

namespace Dataflow.Caching;

/// <summary>Elements without references, as they lie in memory, in native buffers: exactly accounted, unseen by the garbage collector,
/// read without copying. Serves both the object and the serialised levels.</summary>
internal sealed class NativeBlock<T> : StoredBlock<T>
{
    private readonly NativePiece[] _pieces;
    private readonly CacheSpace _space;

    public NativeBlock(NativePiece[] pieces, CacheSpace space)
    {
        _pieces = pieces;
        _space = space;
        MemoryBytes = pieces.Sum(piece => (long)piece.Buffer.Capacity);
    }

    /// <summary>Whether elements can be kept so: whether they hold no references.</summary>
    public static bool Serves => !RuntimeHelpers.IsReferenceOrContainsReferences<T>();

    public override MemoryKind Kind => MemoryKind.Native;

    public override ChunkReader<T> Open() => new Reader(_pieces);

    internal static unsafe Span<T> Elements(NativeBuffer buffer, int count) =>
        MemoryMarshal.CreateSpan(ref Unsafe.AsRef<T>(buffer.Pointer), count);

    protected override void Free()
    {
        foreach (var piece in _pieces) piece.Buffer.Dispose();
        _space.Release(MemoryBytes, MemoryKind.Native);
    }

    private sealed class Reader(NativePiece[] pieces) : ChunkReader<T>
    {
        private readonly int _length = BlockPieces.LentLength<T>();
        private int _piece;
        private int _position;

        public override bool TryRead(out ReadOnlySpan<T> chunk)
        {
            while (_piece < pieces.Length)
            {
                var piece = pieces[_piece];
                if (_position < piece.Count)
                {
                    var count = Math.Min(_length, piece.Count - _position);
                    chunk = Elements(piece.Buffer, piece.Count).Slice(_position, count);
                    _position += count;
                    return true;
                }
                _piece++;
                _position = 0;
            }
            chunk = default;
            return false;
        }

        protected override void Dispose(bool disposing) => _piece = pieces.Length;
    }
}

/// <summary>A native buffer and how many elements, or bytes, of it are used.</summary>
internal readonly record struct NativePiece(NativeBuffer Buffer, int Count);

/// <summary>Copies elements without references into native buffers.</summary>
internal sealed class NativeBlockBuilder<T>(CacheSpace space) : BlockBuilder<T>
{
    private const int MostBytes = 1 << 20;

    private readonly List<NativePiece> _pieces = [];
    private NativeBuffer? _buffer;
    private long _bytes;
    private int _room;
    private int _count;

    public override int Add(ReadOnlySpan<T> items)
    {
        var taken = 0;
        while (taken < items.Length)
        {
            if (_count == _room && !NextBuffer(items.Length - taken)) break;
            var count = Math.Min(items.Length - taken, _room - _count);
            items.Slice(taken, count).CopyTo(NativeBlock<T>.Elements(_buffer!, _room)[_count..]);
            _count += count;
            taken += count;
        }
        return taken;
    }

    public override StoredBlock<T>? Finish()
    {
        Shrink();
        return Gathered();
    }

    public override StoredBlock<T> Gathered()
    {
        Close();
        var block = new NativeBlock<T>([.. _pieces], space);
        _pieces.Clear();
        return block;
    }

    public override void Dispose()
    {
        Close();
        foreach (var (buffer, _) in _pieces)
        {
            buffer.Dispose();
            space.Release(buffer.Capacity, MemoryKind.Native);
        }
        _pieces.Clear();
    }

    private bool NextBuffer(int wanted)
    {
        var size = Unsafe.SizeOf<T>();

        // As much again as there is: a partition takes few buffers, and at most twice its size while it grows.
        var bytes = Math.Max(Math.Min(MostBytes, Math.Max((long)wanted * size, _bytes)), size);
        var capacity = NativePool.CapacityOf((int)bytes);
        if (!space.TryReserve(capacity, MemoryKind.Native)) return false;
        _bytes += capacity;
        Close();
        _buffer = space.Pool.Rent(capacity, "cached block");
        _room = capacity / size;
        return true;
    }

    private void Close()
    {
        if (_buffer is null) return;
        _pieces.Add(new NativePiece(_buffer, _count));
        _buffer = null;
        _count = 0;
        _room = 0;
    }

    // The last buffer is seldom full: its elements move to one that fits, if that saves at least half of it.
    private void Shrink()
    {
        if (_buffer is not { } large) return;
        var capacity = NativePool.CapacityOf(_count * Unsafe.SizeOf<T>());
        if (capacity >= large.Capacity || !space.TryReserve(capacity, MemoryKind.Native)) return;
        var small = space.Pool.Rent(capacity, "cached block");
        NativeBlock<T>.Elements(large, _count).CopyTo(NativeBlock<T>.Elements(small, _count));
        large.Dispose();
        space.Release(large.Capacity, MemoryKind.Native);
        _buffer = small;
    }
}
