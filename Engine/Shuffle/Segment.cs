using Dataflow.Storage;

namespace Dataflow.Shuffle;

/// <summary>
/// A run of rows of one reduce partition of one map output. Its rows are bytes in native memory, or objects of this process, or bytes of
/// a file; which of them changes under memory pressure, what they say does not.
/// </summary>
/// <remarks>Owned by its <see cref="MapOutput"/>, which alone moves it. Readers take a <see cref="SegmentView"/>.</remarks>
public sealed class Segment
{
    internal Segment(int tag, int rows, SegmentBody body)
    {
        Tag = tag;
        Rows = rows;
        Bytes = body.Bytes;
        Body = body;
    }

    /// <summary>A number that the writer gives for its reader: the pair writer numbers the hash ranges of a reduce partition.</summary>
    public int Tag { get; }

    /// <summary>How many rows.</summary>
    public int Rows { get; }

    /// <summary>Bytes of the rows: exact for encoded rows, an estimate for objects.</summary>
    public long Bytes { get; }

    internal SegmentBody Body { get; set; }

    /// <summary>The same rows in the file of the finished map output; null if there is none. What is in memory may be dropped then.</summary>
    internal FileBody? Saved { get; set; }
}

/// <summary>Where the rows of a segment are.</summary>
internal abstract class SegmentBody
{
    public abstract long Bytes { get; }

    /// <summary>Takes a lease on the rows.</summary>
    public abstract SegmentView Open();

    /// <summary>Gives the memory back once the last view is closed.</summary>
    public abstract void Free();
}

/// <summary>Rows as they lie in native memory.</summary>
internal sealed class NativeBody(NativeBuffer buffer, int length) : SegmentBody
{
    public override long Bytes => length;

    public ReadOnlySpan<byte> Span => buffer.Span[..length];

    public override SegmentView Open() => new(buffer.Retain(0, length), length);

    public override void Free() => buffer.Dispose();
}

/// <summary>Rows as objects of this process; bytes only to spill or travel.</summary>
internal abstract class ObjectBody : SegmentBody
{
    /// <summary>Encodes all rows into the writer.</summary>
    public abstract void Encode(Serialization.BlockWriter writer);
}

/// <inheritdoc cref="ObjectBody"/>
internal sealed class ObjectBody<TRow>(TRow[] rows, int count, long bytes) : ObjectBody
{
    public override long Bytes => bytes;

    public override SegmentView Open() => new(rows, count);

    public override void Free() { }

    public override void Encode(Serialization.BlockWriter writer) => Serialization.Codec<TRow>.Default.Write(writer, rows.AsSpan(0, count));
}

/// <summary>A lease on the rows of a segment; disposed by the reader that took it.</summary>
public readonly struct SegmentView : IDisposable
{
    private readonly NativeBuffer? _buffer;
    private readonly int _length;
    private readonly IDisposable? _memory;

    internal SegmentView(NativeBuffer buffer, int length, IDisposable? memory = null)
    {
        _buffer = buffer;
        _length = length;
        _memory = memory;
    }

    internal SegmentView(Array rows, int count)
    {
        Objects = rows;
        _length = count;
    }

    /// <summary>The rows as an array of this process's objects, or null if they are bytes.</summary>
    public Array? Objects { get; }

    /// <summary>How many elements of <see cref="Objects"/> are rows.</summary>
    public int ObjectCount => _length;

    /// <summary>The rows as bytes; empty if they are objects.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer is null ? default : _buffer.Span[.._length];

    /// <summary>The same bytes, for asynchronous writes.</summary>
    internal ReadOnlyMemory<byte> Memory => _buffer is null ? default : _buffer.Memory[.._length];

    /// <summary>Ends the lease.</summary>
    public void Dispose()
    {
        _buffer?.Dispose();
        _memory?.Dispose();
    }
}
