using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Codecs;

namespace Dataflow.Serialization;

/// <summary>
/// Collects the bytes of one block in a pooled array. Codecs write into it; whoever owns it frames, stores or sends what was written.
/// </summary>
/// <remarks>
/// <para>A class over an array and not an <see cref="IBufferWriter{T}"/>: interface calls per field would cost more than the writes.
/// Numbers are written as they lie in memory; the engine runs on little-endian machines.</para>
/// <para>What is written between two resets is one run of bytes with one table of types: read it with one <see cref="BlockReader"/>, from
/// its start. One thread at a time.</para>
/// </remarks>
public sealed class BlockWriter : IDisposable
{
    // The longest text whose length fits one byte.
    private const int ShortText = 126;

    private byte[] _buffer;
    private int _length;
    private int _depth;
    private TypeTable? _types;

    /// <summary>Makes an empty writer. Costs one rented array, given back by <see cref="Dispose"/>.</summary>
    /// <param name="capacity">Bytes it can take before it first grows.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is negative.</exception>
    public BlockWriter(int capacity = 64 * 1024)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(capacity, 256));
    }

    /// <summary>Bytes written since the last reset.</summary>
    public int Length => _length;

    /// <summary>The bytes written since the last reset; valid until the next write, reset or dispose.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>The same bytes as memory, for asynchronous writes; valid as long as <see cref="Written"/>.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, _length);

    /// <summary>Forgets what was written and starts a new run; the capacity stays.</summary>
    public void Reset()
    {
        _length = 0;
        BeginRun();
    }

    /// <summary>Gives the array back to the pool. Safe to call twice; a disposed writer can't be written to.</summary>
    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = [];
        _length = 0;
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Appends a value as it lies in memory.</summary>
    /// <typeparam name="T">A type without padding, or its bytes differ from run to run.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteUnmanaged<T>(T value)
        where T : unmanaged => WriteRaw(value);

    /// <summary>Appends one byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteByte(byte value) => WriteRaw(value);

    /// <summary>Appends bytes as they are, without their length.</summary>
    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(MemoryMarshal.CreateSpan(ref Reserve(bytes.Length), bytes.Length));
        _length += bytes.Length;
    }

    /// <summary>Appends a number in 1 to 5 bytes, seven bits each, low bits first: small numbers take one byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteVarUInt(uint value)
    {
        if (value < 0x80)
            WriteRaw((byte)value);
        else
            WriteLongVarUInt(value);
    }

    /// <summary>Appends how many elements follow, so that <see cref="BlockReader.ReadCount"/> can tell null from empty.</summary>
    /// <param name="count">Elements, or -1 for null.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteCount(int count) => WriteVarUInt((uint)(count + 1));

    /// <summary>Appends a string as UTF-8 with its length; null, empty and unpaired surrogates come back as they were.</summary>
    public void WriteString(string? value)
    {
        if (value is null)
        {
            WriteRaw((byte)0);
            return;
        }

        // Nearly all strings are short and ASCII: one reserve, one pass, a length of one byte.
        if (value.Length <= ShortText)
        {
            ref var start = ref Reserve(1 + ShortText + Text.Slack);
            if (Text.TryNarrow(value, ref Unsafe.Add(ref start, 1)))
            {
                start = (byte)(value.Length + 1);
                _length += 1 + value.Length;
                return;
            }
        }

        var bytes = Text.CountBytes(value);
        WriteCount(bytes);
        Text.Encode(value, MemoryMarshal.CreateSpan(ref Reserve(bytes), bytes));
        _length += bytes;
    }

    /// <summary>Free memory behind what was written, for someone who writes many bytes at once; call <see cref="Advance"/> after.</summary>
    /// <param name="minimum">Bytes needed.</param>
    /// <returns>At least <paramref name="minimum"/> bytes of unknown content, valid until the next call of any member.</returns>
    public Span<byte> GetSpan(int minimum)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(minimum);
        Reserve(minimum);
        return _buffer.AsSpan(_length);
    }

    /// <summary>Counts bytes that were written into <see cref="GetSpan"/>'s memory.</summary>
    /// <param name="count">Bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is less memory than that.</exception>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _length);
        _length += count;
    }

    // Deeper than data is; a value that refers to itself ends here.
    internal const int DepthLimit = 256;

    // The types that open members may hold.
    internal TypeScope? Scope { get; set; }

    internal TypeTable Types => _types ??= new TypeTable();

    // From here on types are numbered anew: what is written next is read by a reader of its own.
    internal void BeginRun()
    {
        _depth = 0;
        _types?.Clear();
        Scope = null;
    }

    internal void Truncate(int length) => _length = length;

    // Entered by the outermost codec of a block, or by one that the outer ones don't know: a codec someone registered called it.
    internal TypeScope? Enter(TypeShape shape)
    {
        var outer = Scope;
        if (outer is null || !outer.Covers(shape.Type)) Scope = shape.Scope;
        return outer;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Descend(Type type)
    {
        if (++_depth > DepthLimit) ThrowDepth(type);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Ascend() => _depth--;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void WriteRaw<T>(T value)
    {
        Unsafe.WriteUnaligned(ref Reserve(Unsafe.SizeOf<T>()), value);
        _length += Unsafe.SizeOf<T>();
    }

    // Bytes already written, to be patched: a header whose lengths are known last.
    internal Span<byte> At(int position, int count) => _buffer.AsSpan(0, _length).Slice(position, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref byte Reserve(int count)
    {
        if ((uint)(_buffer.Length - _length) < (uint)count) Grow(count);
        return ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_buffer), _length);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WriteLongVarUInt(uint value)
    {
        ref var start = ref Reserve(5);
        var count = 0;
        for (; value >= 0x80; value >>= 7) Unsafe.Add(ref start, count++) = (byte)(value | 0x80);
        Unsafe.Add(ref start, count++) = (byte)value;
        _length += count;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int count)
    {
        ObjectDisposedException.ThrowIf(_buffer.Length == 0, this);
        var needed = (long)_length + count;
        if (needed > Array.MaxLength)
            throw new CodecException(
                $"A block would need {needed:N0} bytes and can hold {Array.MaxLength:N0}; next: write fewer or smaller elements a block.");

        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(needed, 2L * _buffer.Length), Array.MaxLength));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowDepth(Type type) => throw new CodecException(
        $"{TypeNames.Short(type)} can't be encoded: it nests deeper than {DepthLimit} levels, or refers to itself; "
        + "next: keep long chains as a list, and replace references back by keys.");
}
