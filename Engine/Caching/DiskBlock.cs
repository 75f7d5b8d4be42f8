using System.Buffers;
using Dataflow.Compression;
using Dataflow.Serialization;
using Dataflow.Storage;

namespace Dataflow.Caching;

/// <summary>Elements as encoded blocks in a temporary file, compressed where that saves a tenth, each with its checksum.</summary>
internal sealed class DiskBlock<T> : StoredBlock<T>
{
    private readonly TempFile _file;

    public DiskBlock(TempFile file)
    {
        _file = file;
        DiskBytes = file.Length;
    }

    public override MemoryKind Kind => MemoryKind.Native;

    public override ChunkReader<T> Open()
    {
        var file = _file.OpenRead();
        return new EncodedBlockReader<T>(Blocks(file, _file.Length), owner: file);
    }

    public override StoredBlock ToDisk(TempFolders temp) => this;

    protected override void Free() => _file.Dispose();

    private static IEnumerable<ReadOnlyMemory<byte>> Blocks(TempFileReader file, long length)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(DiskBlockBuilder<T>.BlockBytes * 2);
        try
        {
            for (var offset = 0L; offset < length;)
            {
                file.ReadExactly(buffer.AsSpan(0, EncodedBlock.HeaderLength), offset);
                var header = EncodedBlock.ReadHeader(buffer);
                if (header.Length > length - offset)
                {
                    throw new CorruptDataException("cached block", offset, $"a block of {header.Length:N0} bytes passes the file's end at {length:N0}");
                }
                if (buffer.Length < header.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(header.Length);
                    buffer.AsSpan(0, EncodedBlock.HeaderLength).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
                file.ReadExactly(buffer.AsSpan(EncodedBlock.HeaderLength, header.StoredLength), offset + EncodedBlock.HeaderLength);
                yield return buffer.AsMemory(0, header.Length);
                offset += header.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>Encodes elements into blocks of some 256 KB and writes them to a temporary file.</summary>
internal sealed class DiskBlockBuilder<T>(TempFolders temp) : BlockBuilder<T>
{
    public const int BlockBytes = 256 << 10;

    private readonly Codec<T> _codec = Codec<T>.Default;
    private readonly BlockWriter _writer = new(BlockBytes + (BlockBytes >> 1));
    private readonly BlockWriter _framed = new(BlockBytes * 2);
    private TempFile? _file = temp.Create("cache");
    private int _count;

    public override int Add(ReadOnlySpan<T> items)
    {
        for (var taken = 0; taken < items.Length;)
        {
            // Elements of many bytes are counted one by one.
            var part = items.Slice(taken, typeof(T) == typeof(Slab) ? 1 : Math.Min(items.Length - taken, ChunkReader<T>.DefaultLength));
            _codec.Write(_writer, part);
            _count += part.Length;
            taken += part.Length;
            if (_writer.Length >= BlockBytes) Store();
        }
        return items.Length;
    }

    /// <summary>Takes elements that are encoded already, as a block of their own.</summary>
    public void AddEncoded(ReadOnlySpan<byte> payload, int count)
    {
        Store();
        Store(payload, count);
    }

    public override DiskBlock<T> Finish()
    {
        Store();
        var file = _file!;
        file.Finish();
        _file = null;
        return new DiskBlock<T>(file);
    }

    public override StoredBlock<T> Gathered() => Finish();

    public override void Dispose()
    {
        _file?.Dispose();
        _file = null;
        _writer.Dispose();
        _framed.Dispose();
    }

    private void Store()
    {
        if (_count == 0) return;
        Store(_writer.Written, _count);
        _writer.Reset();
        _count = 0;
    }

    private void Store(ReadOnlySpan<byte> payload, int count)
    {
        _framed.Reset();
        BlockEncoder.Frame(payload, count, _codec.SchemaHash, _framed, CompressionCodecs.Lz4);
        _file!.Append(_framed.Written);
    }
}
