using Dataflow.Compression;
using Dataflow.Serialization;
using Dataflow.Storage;

namespace Dataflow.Caching;

/// <summary>Elements as encoded blocks in native buffers: several times smaller than objects, exactly accounted, decoded at each
/// read.</summary>
internal sealed class SerializedBlock<T> : StoredBlock<T>
{
    private readonly NativePiece[] _pieces;
    private readonly CacheSpace _space;

    public SerializedBlock(NativePiece[] pieces, CacheSpace space)
    {
        _pieces = pieces;
        _space = space;
        MemoryBytes = pieces.Sum(piece => (long)piece.Buffer.Capacity);
    }

    public override MemoryKind Kind => MemoryKind.Native;

    public override ChunkReader<T> Open() =>
        new EncodedBlockReader<T>(_pieces.Select(piece => (ReadOnlyMemory<byte>)piece.Buffer.Memory[..piece.Count]));

    public override IEnumerable<ReadOnlyMemory<byte>> Encoded() => _pieces.Select(piece => (ReadOnlyMemory<byte>)piece.Buffer.Memory[..piece.Count]);

    // The bytes are encoded already; they are only compressed.
    public override StoredBlock ToDisk(TempFolders temp)
    {
        using var builder = new DiskBlockBuilder<T>(temp);
        foreach (var (buffer, count) in _pieces)
        {
            for (var rest = buffer.Span[..count]; !rest.IsEmpty;)
            {
                var header = EncodedBlock.Verify(rest);
                builder.AddEncoded(rest.Slice(EncodedBlock.HeaderLength, header.StoredLength), header.Count);
                rest = rest[header.Length..];
            }
        }
        return builder.Finish();
    }

    protected override void Free()
    {
        foreach (var piece in _pieces) piece.Buffer.Dispose();
        _space.Release(MemoryBytes, MemoryKind.Native);
    }
}

/// <summary>Encodes elements into blocks of some 64 KB, and packs these into native buffers.</summary>
internal sealed class SerializedBlockBuilder<T>(CacheSpace space) : BlockBuilder<T>
{
    private const int BlockBytes = 64 << 10;
    private const int MostBytes = 1 << 20;

    private readonly List<NativePiece> _pieces = [];
    private readonly Codec<T> _codec = Codec<T>.Default;
    private readonly BlockWriter _writer = new(2 * BlockBytes);
    private readonly BlockWriter _framed = new(2 * BlockBytes);
    private NativeBuffer? _buffer;
    private long _bytes;
    private int _used;
    private int _count;

    // Elements are taken before it is known whether their bytes find room; what does not is kept in the writer and is part of what was
    // gathered.
    public override int Add(ReadOnlySpan<T> items)
    {
        for (var taken = 0; taken < items.Length;)
        {
            if (_writer.Length >= BlockBytes && !Store()) return taken;
            var part = items.Slice(taken, Math.Min(items.Length - taken, ChunkReader<T>.DefaultLength));
            _codec.Write(_writer, part);
            _count += part.Length;
            taken += part.Length;
        }
        return items.Length;
    }

    public override StoredBlock<T>? Finish()
    {
        if (!Store()) return null;
        Shrink();
        return Make();
    }

    public override StoredBlock<T> Gathered()
    {
        // The last block was refused by the budget; it is held without it until it has been read, which is at once.
        if (_count > 0)
        {
            Frame();
            Close();
            var buffer = space.Pool.Rent(_framed.Length, "cached block");
            _framed.Written.CopyTo(buffer.Span);
            var stored = Make();
            return new Uncharged(stored, buffer);
        }
        return Make();
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
        _writer.Dispose();
        _framed.Dispose();
    }

    private SerializedBlock<T> Make()
    {
        Close();
        var block = new SerializedBlock<T>([.. _pieces], space);
        _pieces.Clear();
        return block;
    }

    private void Frame()
    {
        _framed.Reset();
        BlockEncoder.Frame(_writer.Written, _count, _codec.SchemaHash, _framed);
    }

    private bool Store()
    {
        if (_count == 0) return true;
        Frame();
        var bytes = _framed.Length;
        if (_buffer is null || _buffer.Capacity - _used < bytes)
        {
            var capacity = NativePool.CapacityOf((int)Math.Max(bytes, Math.Min(MostBytes, _bytes)));
            if (!space.TryReserve(capacity, MemoryKind.Native)) return false;
            _bytes += capacity;
            Close();
            _buffer = space.Pool.Rent(capacity, "cached block");
        }
        _framed.Written.CopyTo(_buffer.Span[_used..]);
        _used += bytes;
        _writer.Reset();
        _count = 0;
        return true;
    }

    private void Close()
    {
        if (_buffer is null) return;
        _pieces.Add(new NativePiece(_buffer, _used));
        _buffer = null;
        _used = 0;
    }

    private void Shrink()
    {
        if (_buffer is not { } large) return;
        var capacity = NativePool.CapacityOf(_used);
        if (capacity >= large.Capacity || !space.TryReserve(capacity, MemoryKind.Native)) return;
        var small = space.Pool.Rent(capacity, "cached block");
        large.Span[.._used].CopyTo(small.Span);
        large.Dispose();
        space.Release(large.Capacity, MemoryKind.Native);
        _buffer = small;
    }

    /// <summary>A block and one more buffer behind it that the budget does not know.</summary>
    private sealed class Uncharged(StoredBlock<T> charged, NativeBuffer last) : StoredBlock<T>
    {
        public override MemoryKind Kind => MemoryKind.Native;

        public override ChunkReader<T> Open() => new Appended<T>(charged.Open(), new EncodedBlockReader<T>([last.Memory]));

        protected override void Free()
        {
            charged.EndLease();
            last.Dispose();
        }
    }
}
