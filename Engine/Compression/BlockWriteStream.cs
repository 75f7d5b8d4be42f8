namespace Dataflow.Compression;

/// <summary>A write-only stream that compresses what is written to it, block by block.</summary>
/// <remarks>The end of the format is written when the stream is disposed of, but not after a write has failed: what is there then is
/// no whole file and must not look like one.</remarks>
/// <param name="destination">Where the compressed bytes go.</param>
/// <param name="leaveOpen">Whether disposing of this leaves the destination open.</param>
/// <param name="blockLength">Raw bytes per block; also how many are held back at most.</param>
internal abstract class BlockWriteStream(Stream destination, bool leaveOpen, int blockLength) : Stream
{
    private readonly byte[] held = new byte[blockLength];
    private int holding;
    private bool failed;
    private bool disposed;

    public sealed override bool CanRead => false;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => !disposed;

    public sealed override long Length => throw NoSeeking();

    public sealed override long Position
    {
        get => throw NoSeeking();
        set => throw NoSeeking();
    }

    /// <summary>Where the compressed bytes go.</summary>
    protected Stream Destination => destination;

    /// <summary>Compresses and writes one block.</summary>
    /// <param name="block">1 to <c>blockLength</c> raw bytes.</param>
    protected abstract void WriteBlock(ReadOnlySpan<byte> block);

    /// <summary>Writes out what the format itself holds back.</summary>
    protected virtual void FlushBlocks()
    {
    }

    /// <summary>Writes the end of the format; called once, after the last block.</summary>
    protected abstract void Finish();

    /// <summary>Gives back buffers and native memory; called once, whether or not writing succeeded.</summary>
    protected abstract void Release();

    public sealed override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        Guarded(buffer, static (stream, rest) =>
        {
            while (!rest.IsEmpty)
            {
                if (stream.holding == 0 && rest.Length >= stream.held.Length)
                {
                    stream.WriteBlock(rest[..stream.held.Length]);
                    rest = rest[stream.held.Length..];
                    continue;
                }

                var count = Math.Min(rest.Length, stream.held.Length - stream.holding);
                rest[..count].CopyTo(stream.held.AsSpan(stream.holding));
                rest = rest[count..];
                stream.holding += count;
                if (stream.holding == stream.held.Length)
                    stream.WriteHeld();
            }
        });
    }

    public sealed override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public sealed override void WriteByte(byte value) => Write([value]);

    /// <summary>Writes out all bytes so far, in a shorter block if need be, which costs some compression.</summary>
    public sealed override void Flush()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        Guarded([], static (stream, _) =>
        {
            stream.WriteHeld();
            stream.FlushBlocks();
            stream.Destination.Flush();
        });
    }

    public sealed override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("This stream compresses; open the file with CompressedStreams.OpenRead to read it.");

    public sealed override long Seek(long offset, SeekOrigin origin) => throw NoSeeking();

    public sealed override void SetLength(long value) => throw NoSeeking();

    protected sealed override void Dispose(bool disposing)
    {
        if (disposing && !disposed)
        {
            disposed = true;
            try
            {
                if (!failed)
                {
                    WriteHeld();
                    Finish();
                }
            }
            finally
            {
                Release();
                if (!leaveOpen)
                    destination.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private delegate void Step(BlockWriteStream stream, ReadOnlySpan<byte> data);

    private void Guarded(ReadOnlySpan<byte> data, Step step)
    {
        // Set first and cleared last: whatever is thrown in between leaves it set.
        if (failed)
            throw new InvalidOperationException("An earlier write to this stream failed; what it wrote is incomplete and has to be deleted.");
        failed = true;
        step(this, data);
        failed = false;
    }

    private void WriteHeld()
    {
        if (holding == 0)
            return;
        WriteBlock(held.AsSpan(0, holding));
        holding = 0;
    }

    private static NotSupportedException NoSeeking() => new("A compressed stream can only be written from its start to its end.");
}
