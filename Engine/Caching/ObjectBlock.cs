using System.Runtime.CompilerServices;
using Dataflow.Storage;

namespace Dataflow.Caching;

/// <summary>Elements as they are, in arrays on the managed heap. Read without copying; sizes are estimated.</summary>
internal sealed class ObjectBlock<T> : StoredBlock<T>
{
    private readonly CacheSpace _space;
    private readonly long _reservedBytes;
    private ReadOnlyMemory<T>[] _pieces;

    public ObjectBlock(ReadOnlyMemory<T>[] pieces, long reservedBytes, CacheSpace space)
    {
        _pieces = pieces;
        _space = space;
        _reservedBytes = reservedBytes;
        MemoryBytes = reservedBytes;
    }

    public override MemoryKind Kind => MemoryKind.Managed;

    public override ChunkReader<T> Open() => new Reader(_pieces);

    protected override void Free()
    {
        _pieces = [];
        _space.Release(_reservedBytes, MemoryKind.Managed);
    }

    private sealed class Reader(ReadOnlyMemory<T>[] pieces) : ChunkReader<T>
    {
        private int _next;

        public override bool TryRead(out ReadOnlySpan<T> chunk)
        {
            if (_next < pieces.Length)
            {
                chunk = pieces[_next++].Span;
                return true;
            }
            chunk = default;
            return false;
        }

        protected override void Dispose(bool disposing) => _next = pieces.Length;
    }
}

/// <summary>Copies elements into arrays, and estimates what they take.</summary>
internal sealed class ObjectBlockBuilder<T>(CacheSpace space) : BlockBuilder<T>
{
    private readonly List<ReadOnlyMemory<T>> _pieces = [];
    private readonly SizeEstimator<T> _estimator = new();
    private readonly int _most = BlockPieces.LentLength<T>();
    private T[] _piece = [];
    private int _count;
    private int _charged;
    private long _reserved;

    public override int Add(ReadOnlySpan<T> items)
    {
        var taken = 0;
        while (taken < items.Length)
        {
            if (_count == _piece.Length && !NextPiece(items.Length - taken)) break;
            var count = Math.Min(items.Length - taken, _piece.Length - _count);
            items.Slice(taken, count).CopyTo(_piece.AsSpan(_count));
            _count += count;
            taken += count;
        }
        return taken;
    }

    public override StoredBlock<T>? Finish() => ChargeReferenced() ? Make() : null;

    public override StoredBlock<T> Gathered() => Make();

    public override void Dispose()
    {
        _pieces.Clear();
        _piece = [];
        _count = 0;
        space.Release(_reserved, MemoryKind.Managed);
        _reserved = 0;
    }

    private StoredBlock<T> Make()
    {
        ClosePiece();
        var block = new ObjectBlock<T>([.. _pieces], _reserved, space);
        _pieces.Clear();
        _reserved = 0;
        return block;
    }

    private bool NextPiece(int wanted)
    {
        if (!ChargeReferenced()) return false;
        var length = Math.Min(_most, Math.Max(Math.Max(wanted, _piece.Length * 2), 16));
        if (!Reserve(ArrayBytes(length))) return false;
        ClosePiece();
        _piece = new T[length];
        return true;
    }

    // What the elements refer to is charged when there are enough of them to look at.
    private bool ChargeReferenced()
    {
        if (_count == _charged) return true;
        if (!Reserve(_estimator.ReferencedBytes(_piece.AsSpan(_charged, _count - _charged)))) return false;
        _charged = _count;
        return true;
    }

    private void ClosePiece()
    {
        if (_count > 0)
        {
            if (_count < _piece.Length / 8 * 7)
            {
                var unused = ArrayBytes(_piece.Length) - ArrayBytes(_count);
                Array.Resize(ref _piece, _count);
                space.Release(unused, MemoryKind.Managed);
                _reserved -= unused;
            }
            _pieces.Add(_piece.AsMemory(0, _count));
        }
        _count = 0;
        _charged = 0;
    }

    private static long ArrayBytes(int length) => 24 + (long)length * Unsafe.SizeOf<T>();

    private bool Reserve(long bytes)
    {
        if (!space.TryReserve(bytes, MemoryKind.Managed)) return false;
        _reserved += bytes;
        return true;
    }
}
