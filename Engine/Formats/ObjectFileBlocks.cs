using System.Buffers;
using System.Collections;
using Dataflow.Files;
using Dataflow.Serialization;
using Dataflow.Tasks;

namespace Dataflow.Formats;

/// <summary>The blocks of an object file, one at a time in a pooled array; each is valid until the next is asked for.</summary>
internal sealed class ObjectFileBlocks<T> : IEnumerable<ReadOnlyMemory<byte>>, IEnumerator<ReadOnlyMemory<byte>>
{
    private readonly FileSlice _slice;
    private readonly TaskContext _context;
    private readonly Codec<T> _codec;
    private readonly Stream _stream;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
    private long _left;
    private bool _begun;

    public ObjectFileBlocks(FileSlice slice, Codec<T> codec, TaskContext context)
    {
        _slice = slice;
        _context = context;
        _codec = codec;
        _left = slice.FileLength;
        _stream = SliceStream.OpenRaw(slice, 0);
    }

    public ReadOnlyMemory<byte> Current { get; private set; }

    object IEnumerator.Current => Current;

    public IEnumerator<ReadOnlyMemory<byte>> GetEnumerator() => this;

    IEnumerator IEnumerable.GetEnumerator() => this;

    public bool MoveNext()
    {
        Current = default;

        // What begins the file tells what it holds; another header follows where files were put end to end.
        while (_left > 0 || !_begun)
        {
            Read(0, ObjectFileHeader.FixedLength);
            if (!_begun || ObjectFileHeader.Begins(_buffer))
            {
                ReadHeader();
                _begun = true;
                continue;
            }
            Read(ObjectFileHeader.FixedLength, EncodedBlock.HeaderLength - ObjectFileHeader.FixedLength);
            var length = BlockLength();
            Read(EncodedBlock.HeaderLength, length - EncodedBlock.HeaderLength);
            Current = _buffer.AsMemory(0, length);
            return true;
        }
        return false;
    }

    public void Reset() => throw new NotSupportedException("Blocks are read once.");

    public void Dispose()
    {
        _stream.Dispose();
        var buffer = _buffer;
        _buffer = [];
        _left = 0;
        _begun = true;
        Current = default;
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
    }

    private void ReadHeader()
    {
        var text = ObjectFileHeader.TextLength(_buffer.AsSpan(0, ObjectFileHeader.FixedLength), _slice.Path);
        Read(ObjectFileHeader.FixedLength, text);
        ObjectFileHeader.Require(
            _buffer.AsSpan(0, ObjectFileHeader.FixedLength), _buffer.AsSpan(ObjectFileHeader.FixedLength, text), _codec, _slice.Path);
    }

    private int BlockLength()
    {
        try
        {
            return EncodedBlock.ReadHeader(_buffer.AsSpan(0, EncodedBlock.HeaderLength)).Length;
        }
        catch (CorruptDataException error)
        {
            throw new CorruptDataException("object file", _slice.FileLength - _left - EncodedBlock.HeaderLength, error.Message, _slice.Path, error);
        }
    }

    // Checked against what the file still has before memory is given for it.
    private void Read(int at, int count)
    {
        if (count > _left)
        {
            throw new CorruptDataException(
                "object file", _slice.FileLength - _left, $"{count:N0} bytes more are needed, and the file ends after {_left:N0}", _slice.Path);
        }
        if (at + count > _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(at + count);
            _buffer.AsSpan(0, at).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        if (_stream.ReadAtLeast(_buffer.AsSpan(at, count), count, throwOnEndOfStream: false) < count)
            throw SliceStream.Changed(_slice, _stream.Length);
        _left -= count;
        _context.Metrics.InputBytes += count;
    }
}
