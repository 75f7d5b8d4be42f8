using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Sorting;

namespace Dataflow.Benchmarks.Rdds;

/// <summary>A record of 100 bytes as gensort -a writes them: ten printable characters of key, the number, filler, line end.</summary>
[InlineArray(Length)]
internal struct Record
{
    public const int Length = 100;

    private byte _first;

    public static Record Make(long number)
    {
        var record = new Record();
        Span<byte> bytes = record;
        bytes.Fill((byte)'X');
        var random = (ulong)number * 0x9E3779B97F4A7C15;
        for (var half = 0; half < 10; half += 5)
        {
            random = (random ^ (random >> 30)) * 0xBF58476D1CE4E5B9;
            random = (random ^ (random >> 27)) * 0x94D049BB133111EB;
            random ^= random >> 31;
            var digits = random;
            for (var i = half; i < half + 5; i++, digits /= 95) bytes[i] = (byte)(' ' + digits % 95);
        }
        number.TryFormat(bytes[12..44], out _, "X32");
        bytes[98] = (byte)'\r';
        bytes[99] = (byte)'\n';
        return record;
    }

    public readonly RecordKey Key => new(BinaryPrimitives.ReadUInt64BigEndian(Bytes), BinaryPrimitives.ReadUInt16BigEndian(Bytes[8..]));

    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    private readonly ReadOnlySpan<byte> Bytes => MemoryMarshal.CreateReadOnlySpan(in _first, Length);
}

/// <summary>The first ten bytes of a record, as numbers that compare like them.</summary>
internal readonly record struct RecordKey(ulong High, ushort Low) : IComparable<RecordKey>, ISortPrefix
{
    public ulong SortPrefix => High;

    public int CompareTo(RecordKey other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);
}
