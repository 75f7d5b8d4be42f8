using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Sorting;

/// <summary>
/// 100 bytes as they lie in the file: a key of ten, two spaces, the record's number in 32 hexadecimal digits, two spaces, filler, line end.
/// The layout is that of <c>gensort -a</c> (sortbenchmark.org).
/// </summary>
[InlineArray(Length)]
internal struct Record
{
    public const int Length = 100;

    private byte _first;

    /// <summary>Record <paramref name="number"/> of the sequence that begins with <paramref name="seed"/>, whoever makes it.</summary>
    public static Record Make(long seed, long number)
    {
        var record = new Record();
        Span<byte> bytes = record;
        bytes.Fill((byte)' ');

        var random = Mix(seed, 3 * number);
        for (var i = 0; i < 5; i++, random /= 95) bytes[i] = (byte)(' ' + random % 95);
        random = Mix(seed, 3 * number + 1);
        for (var i = 5; i < 10; i++, random /= 95) bytes[i] = (byte)(' ' + random % 95);

        number.TryFormat(bytes[12..44], out _, "X32");

        random = Mix(seed, 3 * number + 2);
        for (var i = 46; i < 98; i += 4, random >>= 4) bytes.Slice(i, 4).Fill((byte)('A' + random % 16));

        bytes[98] = (byte)'\r';
        bytes[99] = (byte)'\n';
        return record;
    }

    public readonly Key Key => new(BinaryPrimitives.ReadUInt64BigEndian(Bytes), BinaryPrimitives.ReadUInt16BigEndian(Bytes[8..]));

    /// <summary>CRC-32C of all bytes. The sum over many records does not depend on their order.</summary>
    public readonly uint Checksum
    {
        get
        {
            var crc = uint.MaxValue;
            foreach (var word in MemoryMarshal.Cast<byte, ulong>(Bytes)) crc = BitOperations.Crc32C(crc, word);
            return ~BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt32LittleEndian(Bytes[96..]));
        }
    }

    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    private readonly ReadOnlySpan<byte> Bytes => MemoryMarshal.CreateReadOnlySpan(in _first, Length);

    // SplitMix64 (Steele, Lea and Flood, 2014): any number of the sequence at once, so that partitions can be made apart.
    private static ulong Mix(long seed, long position)
    {
        var z = (ulong)seed * 0xD1342543DE82EF95 + (ulong)position * 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

/// <summary>The first ten bytes of a record, as numbers that compare like them.</summary>
internal readonly record struct Key(ulong High, ushort Low) : IComparable<Key>, ISortPrefix
{
    /// <summary>The engine sorts by these eight bytes and looks at the key only where they are equal.</summary>
    public ulong SortPrefix => High;

    public int CompareTo(Key other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);
}
