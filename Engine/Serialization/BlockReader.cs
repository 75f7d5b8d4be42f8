using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Codecs;

namespace Dataflow.Serialization;

/// <summary>
/// Reads what a <see cref="BlockWriter"/> wrote, never past its end: bytes cut short or changed give <see cref="CorruptDataException"/>.
/// </summary>
/// <remarks>
/// Lengths are checked against the bytes that are left before memory is given for them, so a corrupt length can't exhaust memory.
/// Passed by reference: a copy would not move the original forward.
/// </remarks>
public ref struct BlockReader
{
    private readonly ReadOnlySpan<byte> _data;
    private int _position;
    private long _counted;
    private int _depth;
    private TypeTable? _types;

    // The types that open members may hold.
    internal TypeScope? Scope;

    /// <summary>A reader at the start of these bytes.</summary>
    /// <param name="data">The run of bytes, whole.</param>
    public BlockReader(ReadOnlySpan<byte> data) => _data = data;

    // Goes on where another reader of the same bytes stopped.
    internal BlockReader(ReadOnlySpan<byte> data, State state)
    {
        _data = data;
        _position = state.Position;
        _counted = state.Counted;
        _types = state.Types;
    }

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _position;

    /// <summary>Bytes left.</summary>
    public readonly int Remaining => _data.Length - _position;

    // For loops that keep the place in a local: the next byte, the end, and how to tell the reader how far they got.
    internal readonly ref readonly byte Next => ref Unsafe.Add(ref MemoryMarshal.GetReference(_data), _position);

    internal readonly ref readonly byte End => ref Unsafe.Add(ref MemoryMarshal.GetReference(_data), _data.Length);

    internal readonly State Saved => new(_position, _counted, _types);

    internal TypeTable Types => _types ??= new TypeTable();

    /// <summary>Reads a value as <see cref="BlockWriter.WriteUnmanaged"/> wrote it.</summary>
    /// <exception cref="CorruptDataException">Too few bytes are left.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T ReadUnmanaged<T>()
        where T : unmanaged => ReadRaw<T>();

    /// <summary>Reads one byte.</summary>
    /// <exception cref="CorruptDataException">No byte is left.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte ReadByte() => ReadRaw<byte>();

    /// <summary>Takes the next bytes without copying them.</summary>
    /// <param name="count">How many bytes.</param>
    /// <returns>A part of the data this reader was made over.</returns>
    /// <exception cref="CorruptDataException">Too few bytes are left, or <paramref name="count"/> is negative.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> ReadBytes(int count) => MemoryMarshal.CreateReadOnlySpan(ref Take(count), count);

    /// <summary>Reads a number of 1 to 5 bytes.</summary>
    /// <exception cref="CorruptDataException">It does not end within the data or within 32 bits.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint ReadVarUInt()
    {
        var position = _position;
        if (position < _data.Length && _data[position] is < 0x80 and var value)
        {
            _position = position + 1;
            return value;
        }
        return ReadLongVarUInt();
    }

    /// <summary>Reads how many elements follow.</summary>
    /// <param name="minimumBytes">Fewest bytes that each of them takes.</param>
    /// <returns>The count, or -1 for null.</returns>
    /// <exception cref="CorruptDataException">The data can't hold so many.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int ReadCount(int minimumBytes = 1)
    {
        var count = ReadVarUInt() - 1;
        if (count == uint.MaxValue) return -1;
        CheckCount(count, minimumBytes);
        return (int)count;
    }

    /// <summary>Reads a string as <see cref="BlockWriter.WriteString"/> wrote it.</summary>
    /// <exception cref="CorruptDataException">Too few bytes are left, or they are no UTF-8.</exception>
    public string? ReadString()
    {
        var length = ReadVarUInt();
        if (length <= 1)
            return length == 0 ? null : "";
        var count = (int)(length - 1);
        return Text.Decode(MemoryMarshal.CreateReadOnlySpan(ref Take(count), count));
    }

    internal void MoveTo(ref readonly byte next) =>
        _position = (int)Unsafe.ByteOffset(in MemoryMarshal.GetReference(_data), in next);

    // Before memory is given for them. The sum keeps nested counts honest: all elements of a block together take no more bytes than it has.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void CheckCount(uint count, int minimumBytes)
    {
        if ((ulong)count * (uint)minimumBytes > (uint)(_data.Length - _position) || (_counted += count) > _data.Length) ThrowCount(count);
    }

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
        if (++_depth > BlockWriter.DepthLimit) ThrowDepth(type);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Ascend() => _depth--;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal T ReadRaw<T>() => Unsafe.ReadUnaligned<T>(ref Take(Unsafe.SizeOf<T>()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref byte Take(int count)
    {
        var position = _position;
        if ((uint)count > (uint)(_data.Length - position)) ThrowTruncated(count);
        _position = position + count;
        return ref Unsafe.Add(ref MemoryMarshal.GetReference(_data), position);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private uint ReadLongVarUInt()
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var part = ReadByte();
            if (shift == 28 && part > 0x0F) break;
            value |= (uint)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }
        throw new CorruptDataException($"The number that ends at byte {_position} of {_data.Length} is longer than 32 bits.");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly void ThrowTruncated(int count) => throw new CorruptDataException(
        $"The data ends too early: {count:N0} bytes expected at byte {_position:N0}, {Remaining:N0} are left of {_data.Length:N0}.");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly void ThrowCount(uint count) => throw new CorruptDataException(
        $"A count of {count:N0} elements before byte {_position:N0} can't be right: {Remaining:N0} bytes are left of {_data.Length:N0}.");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly void ThrowDepth(Type type) => throw new CorruptDataException(
        $"The data nests {TypeNames.Short(type)} deeper than {BlockWriter.DepthLimit} levels at byte {_position:N0} of {_data.Length:N0}.");

    // Between two chunks of a block: a reader itself can't be kept in a field.
    internal readonly record struct State(int Position, long Counted, TypeTable? Types);
}
