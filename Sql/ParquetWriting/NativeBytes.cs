using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.ParquetWriting;

/// <summary>Bytes that grow at their end, in an arena.</summary>
internal sealed unsafe class NativeBytes(TaskArena arena)
{
    private const int SmallestBytes = 64 << 10;

    private NativeBuffer? _buffer;

    /// <summary>The first byte; null while there is none.</summary>
    public byte* Pointer => _buffer is null ? null : _buffer.Pointer;

    /// <summary>Bytes there are.</summary>
    public int Length { get; private set; }

    /// <summary>Forgets them; the memory stays.</summary>
    public void Clear() => Length = 0;

    /// <summary>Room for more bytes at the end; <see cref="Advance"/> makes them part.</summary>
    public byte* Reserve(int more)
    {
        var needed = (long)Length + more;
        if (_buffer is not null && needed <= _buffer.Length - TaskArena.Slack) return _buffer.Pointer + Length;
        if (needed > 1 << 30) throw new QueryException("PARQUET_ROW_GROUP_TOO_LARGE", $"A row group's column would have {needed:N0} bytes, more than 1 GB. Write fewer rows to a row group.");
        var larger = arena.Rent((int)Math.Max(Math.Max(needed, SmallestBytes), Math.Min(2L * Length, 1 << 30)));
        if (_buffer is not null)
        {
            Buffer.MemoryCopy(_buffer.Pointer, larger.Pointer, larger.Length, Length);
            arena.Return(_buffer);
        }
        _buffer = larger;
        return _buffer.Pointer + Length;
    }

    /// <summary>Bytes were written into the room.</summary>
    public void Advance(int count) => Length += count;

    /// <summary>Adds bytes.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(new Span<byte>(Reserve(bytes.Length), bytes.Length));
        Advance(bytes.Length);
    }
}
