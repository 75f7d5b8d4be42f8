using System.Buffers;
using Dataflow.Files;
using Dataflow.Tasks;

namespace Dataflow.Formats;

/// <summary>Reads a part of a file in large pieces and hands it out in whole records.</summary>
internal sealed class RecordBuffer : IDisposable
{
    private const int BufferBytes = 256 * 1024;

    private readonly FileSlice _slice;
    private readonly int _recordBytes;
    private readonly TaskContext _context;
    private readonly Stream _stream;
    private byte[] _buffer;
    private long _left;
    private int _next;
    private int _length;

    public RecordBuffer(FileSlice slice, int recordBytes, TaskContext context)
    {
        _slice = slice;
        _recordBytes = recordBytes;
        _context = context;
        _left = slice.Length;
        _stream = SliceStream.OpenRaw(slice, slice.Offset);
        _buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(BufferBytes, recordBytes), Math.Max(1, slice.Length)));
    }

    /// <summary>The next records, at most so many; empty at the end of the part. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Next(int records)
    {
        if (_next == _length && !Fill()) return default;
        var count = (int)Math.Min(_length - _next, (long)records * _recordBytes);
        var bytes = _buffer.AsSpan(_next, count);
        _next += count;
        return bytes;
    }

    public void Dispose()
    {
        _stream.Dispose();
        var buffer = _buffer;
        _buffer = [];
        _left = _next = _length = 0;
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
    }

    private bool Fill()
    {
        _next = 0;
        _length = (int)Math.Min(_left, _buffer.Length / _recordBytes * _recordBytes);
        if (_length == 0) return false;
        if (_stream.ReadAtLeast(_buffer.AsSpan(0, _length), _length, throwOnEndOfStream: false) < _length)
            throw SliceStream.Changed(_slice, _stream.Length);
        _left -= _length;
        _context.Metrics.InputBytes += _length;
        return true;
    }
}
