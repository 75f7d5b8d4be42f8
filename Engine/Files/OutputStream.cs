using System.Buffers;

namespace Dataflow.Files;

/// <summary>Gathers what is written into large pieces, counts it, and explains a write that fails.</summary>
internal sealed class OutputStream(IFileSystem system, PendingFile file) : Stream
{
    private const int BufferBytes = 256 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _held;
    private long _written;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => _buffer.Length > 0;

    public override long Length => _written + _held;

    /// <summary>Bytes written so far.</summary>
    public override long Position
    {
        get => _written + _held;
        set => throw new NotSupportedException("Output is written from its start to its end.");
    }

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        ObjectDisposedException.ThrowIf(_buffer.Length == 0, this);
        if (bytes.Length > _buffer.Length - _held)
        {
            Flush();
            if (bytes.Length >= _buffer.Length)
            {
                WriteOut(bytes);
                return;
            }
        }
        bytes.CopyTo(_buffer.AsSpan(_held));
        _held += bytes.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void WriteByte(byte value) => Write([value]);

    public override void Flush()
    {
        var held = _held;
        _held = 0;
        WriteOut(_buffer.AsSpan(0, held));
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Output can't be read.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("Output is written from its start to its end.");

    public override void SetLength(long value) => throw new NotSupportedException("Output is written from its start to its end.");

    // Not flushed: what was not flushed before belongs to a file that is being dropped.
    protected override void Dispose(bool disposing)
    {
        var buffer = _buffer;
        _buffer = [];
        _held = 0;
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        base.Dispose(disposing);
    }

    private void WriteOut(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        try
        {
            file.Stream.Write(bytes);
        }
        catch (Exception error) when (OutputErrors.IsAccess(error))
        {
            throw OutputErrors.Failed(system, file.Path, $"after {_written:N0} bytes", error);
        }
        _written += bytes.Length;
    }
}
