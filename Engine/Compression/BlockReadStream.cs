using System.Runtime.ExceptionServices;

namespace Dataflow.Compression;

/// <summary>A read-only stream over the raw bytes of a compressed one, made block by block by <see cref="ReadBlock"/>.</summary>
/// <remarks>Counts the bytes it takes from the source, so that errors name an offset. Once a read has failed every later one fails
/// alike: half a file must not look like a whole one.</remarks>
/// <param name="source">Where the compressed bytes come from.</param>
/// <param name="leaveOpen">Whether disposing of this leaves the source open.</param>
/// <param name="format">The name of the format, for errors.</param>
/// <param name="path">The name of the file, for errors; null when there is none.</param>
internal abstract class BlockReadStream(Stream source, bool leaveOpen, string format, string? path) : Stream
{
    private ReadOnlyMemory<byte> block;
    private ExceptionDispatchInfo? failure;
    private bool disposed;

    public sealed override bool CanRead => !disposed;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => false;

    public sealed override long Length => throw new NotSupportedException($"The raw length of a {format} stream is not known before it has been read.");

    public sealed override long Position
    {
        get => throw NoSeeking();
        set => throw NoSeeking();
    }

    /// <summary>Compressed bytes taken from the source so far.</summary>
    protected long Consumed { get; private set; }

    /// <summary>Makes the next raw bytes.</summary>
    /// <returns>Whether there were any more; false only at the proper end.</returns>
    /// <param name="block">The bytes, valid until the next call; may be empty.</param>
    protected abstract bool ReadBlock(out ReadOnlyMemory<byte> block);

    /// <summary>Gives back buffers and native memory; called once.</summary>
    protected abstract void Release();

    public sealed override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (buffer.IsEmpty)
            return 0;
        while (block.IsEmpty)
        {
            failure?.Throw();
            try
            {
                if (!ReadBlock(out var next))
                    return 0;
                block = next;
            }
            catch (Exception error)
            {
                failure = ExceptionDispatchInfo.Capture(error);
                throw;
            }
        }

        var count = Math.Min(buffer.Length, block.Length);
        block.Span[..count].CopyTo(buffer);
        block = block[count..];
        return count;
    }

    public sealed override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public sealed override int ReadByte()
    {
        byte value = 0;
        return Read(new Span<byte>(ref value)) == 0 ? -1 : value;
    }

    public sealed override void Write(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("This stream decompresses; open the file with CompressedStreams.OpenWrite to write one.");

    public sealed override void Flush()
    {
    }

    public sealed override long Seek(long offset, SeekOrigin origin) => throw NoSeeking();

    public sealed override void SetLength(long value) => throw NoSeeking();

    /// <summary>Takes what the source has, at most a bufferful; 0 only at its end.</summary>
    protected int Take(Span<byte> buffer)
    {
        var count = source.Read(buffer);
        Consumed += count;
        return count;
    }

    /// <summary>Fills the buffer from the source, or says that the stream ends inside <paramref name="what"/>.</summary>
    protected void TakeExactly(Span<byte> buffer, string what)
    {
        if (!TryTakeExactly(buffer, what))
            throw Corrupt($"the stream ends where {what} should begin");
    }

    /// <summary>Fills the buffer, or returns false when the source is at its end already.</summary>
    protected bool TryTakeExactly(Span<byte> buffer, string what)
    {
        var count = source.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        Consumed += count;
        if (count > 0 && count < buffer.Length)
            throw Corrupt($"the stream ends inside {what}, which has {buffer.Length:N0} bytes, after {count:N0} of them");
        return count == buffer.Length;
    }

    /// <summary>The error for what was just taken.</summary>
    protected CorruptDataException Corrupt(string problem, Exception? cause = null) => new(format, Consumed, problem, path, cause);

    /// <summary>The error of a block that was just taken, told with its place in the stream.</summary>
    /// <param name="error">The error, with its offset in the block.</param>
    /// <param name="blockLength">Bytes of the block, the last of those taken.</param>
    protected CorruptDataException Corrupt(CorruptDataException error, int blockLength) =>
        new(format, Consumed - blockLength + (error.Offset ?? 0), error.Problem ?? error.Message, path, error);

    protected sealed override void Dispose(bool disposing)
    {
        if (disposing && !disposed)
        {
            disposed = true;
            block = default;
            Release();
            if (!leaveOpen)
                source.Dispose();
        }

        base.Dispose(disposing);
    }

    private NotSupportedException NoSeeking() => new($"A {format} stream can only be read from its start to its end.");
}
