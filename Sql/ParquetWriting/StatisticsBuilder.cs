using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using Dataflow.Sql.ParquetMetadata;

namespace Dataflow.Sql.ParquetWriting;

/// <summary>Smallest and largest of plainly encoded values, as statistics store them.</summary>
internal static unsafe class StatisticsBuilder
{
    private const int LongestBytes = 256;

    /// <summary>Finds them; null where nothing useful can be said: no values, NaN among them, or long bytes.</summary>
    /// <param name="column">How values are stored.</param>
    /// <param name="values">The values.</param>
    /// <param name="count">How many.</param>
    public static (byte[] Min, byte[] Max)? Of(WrittenColumn column, byte* values, int count)
    {
        if (count == 0) return null;
        return column.Stored switch
        {
            StoredKind.Boolean => Booleans(values, count),
            StoredKind.Int32 => Integers((int*)values, count),
            StoredKind.Int64 => Integers((long*)values, count),
            StoredKind.Float => Floats((float*)values, count),
            StoredKind.Double => Floats((double*)values, count),
            StoredKind.FixedBytes => Decimals(values, count, column.Width),
            _ => Bytes(values, count),
        };
    }

    /// <summary>The same of some values of a dictionary of bytes.</summary>
    /// <param name="dictionary">The dictionary.</param>
    /// <param name="codes">Codes of the values.</param>
    /// <param name="count">How many.</param>
    public static (byte[] Min, byte[] Max)? Of(DictionaryBuilder dictionary, uint* codes, int count)
    {
        if (count == 0) return null;
        var isUsed = new bool[dictionary.Count];
        for (var i = 0; i < count; i++) isUsed[codes[i]] = true;
        byte* min = null, max = null;
        for (var code = 0; code < isUsed.Length; code++)
        {
            if (isUsed[code]) Widen(ref min, ref max, dictionary.Values.Pointer + dictionary.Starts[code]);
        }
        return Copy(min, max);
    }

    private static (byte[] Min, byte[] Max) Booleans(byte* values, int count)
    {
        var all = new ReadOnlySpan<byte>(values, count);
        return ([(byte)(all.Contains((byte)0) ? 0 : 1)], [(byte)(all.Contains((byte)1) ? 1 : 0)]);
    }

    private static (byte[] Min, byte[] Max) Integers<T>(T* values, int count)
        where T : unmanaged, IBinaryInteger<T>
    {
        var (low, high) = Extremes.Of(values, count);
        return (Stored(low), Stored(high));
    }

    // Readers may take the two zeros for equal or not: the bounds hold either way.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (byte[] Min, byte[] Max)? Floats<T>(T* values, int count)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (low, high) = (values[0], values[0]);
        for (var i = 0; i < count; i++)
        {
            var value = values[i];
            if (T.IsNaN(value)) return null;
            if (value < low) low = value;
            if (value > high) high = value;
        }
        return (Stored(T.IsZero(low) ? T.NegativeZero : low), Stored(T.IsZero(high) ? T.Zero : high));
    }

    private static (byte[] Min, byte[] Max) Decimals(byte* values, int count, int width)
    {
        var (low, high) = (Conversion.Wide(values, width), Conversion.Wide(values, width));
        var (min, max) = (0, 0);
        for (var i = 1; i < count; i++)
        {
            var value = Conversion.Wide(values + ((nint)i * width), width);
            if (value < low) (low, min) = (value, i);
            if (value > high) (high, max) = (value, i);
        }
        return (new ReadOnlySpan<byte>(values + ((nint)min * width), width).ToArray(), new ReadOnlySpan<byte>(values + ((nint)max * width), width).ToArray());
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (byte[] Min, byte[] Max)? Bytes(byte* values, int count)
    {
        byte* min = values, max = values;
        var (least, most) = (Start(values), Start(values));
        for (var i = 0; i < count; i++, values += 4 + *(int*)values)
        {
            // The first eight bytes decide nearly always, and most values lie well between.
            var start = Start(values);
            if (start > least && start < most) continue;
            Widen(ref min, ref max, values);
            (least, most) = (Start(min), Start(max));
        }
        return Copy(min, max);
    }

    // The first eight bytes as a number that compares as they do; those behind the end are zero.
    private static ulong Start(byte* value)
    {
        var length = *(int*)value;
        var bytes = BinaryPrimitives.ReverseEndianness(*(ulong*)(value + 4));
        return length >= 8 ? bytes : length == 0 ? 0 : bytes & (ulong.MaxValue << (64 - (8 * length)));
    }

    private static void Widen(ref byte* min, ref byte* max, byte* value)
    {
        if (min == null)
        {
            min = max = value;
            return;
        }
        var bytes = new ReadOnlySpan<byte>(value + 4, *(int*)value);
        if (bytes.SequenceCompareTo(new ReadOnlySpan<byte>(min + 4, *(int*)min)) < 0) min = value;
        else if (bytes.SequenceCompareTo(new ReadOnlySpan<byte>(max + 4, *(int*)max)) > 0) max = value;
    }

    /// <summary>Bounds that hold all values of two.</summary>
    /// <param name="column">How values are stored.</param>
    /// <param name="left">Bounds of some.</param>
    /// <param name="right">Bounds of others.</param>
    public static (byte[] Min, byte[] Max) Union(WrittenColumn column, (byte[] Min, byte[] Max) left, (byte[] Min, byte[] Max) right) =>
        (Compare(column, left.Min, right.Min) <= 0 ? left.Min : right.Min, Compare(column, left.Max, right.Max) >= 0 ? left.Max : right.Max);

    private static int Compare(WrittenColumn column, byte[] left, byte[] right)
    {
        switch (column.Stored)
        {
            case StoredKind.Int32: return BitConverter.ToInt32(left).CompareTo(BitConverter.ToInt32(right));
            case StoredKind.Int64: return BitConverter.ToInt64(left).CompareTo(BitConverter.ToInt64(right));
            case StoredKind.Float: return BitConverter.ToSingle(left).CompareTo(BitConverter.ToSingle(right));
            case StoredKind.Double: return BitConverter.ToDouble(left).CompareTo(BitConverter.ToDouble(right));
            case StoredKind.FixedBytes:
                fixed (byte* mine = left, theirs = right) return Conversion.Wide(mine, left.Length).CompareTo(Conversion.Wide(theirs, right.Length));
            default: return left.AsSpan().SequenceCompareTo(right);
        }
    }

    private static (byte[] Min, byte[] Max)? Copy(byte* min, byte* max)
    {
        if (min == null || *(int*)min > LongestBytes || *(int*)max > LongestBytes) return null;
        return (new ReadOnlySpan<byte>(min + 4, *(int*)min).ToArray(), new ReadOnlySpan<byte>(max + 4, *(int*)max).ToArray());
    }

    private static byte[] Stored<T>(T value)
        where T : unmanaged => new ReadOnlySpan<byte>(&value, sizeof(T)).ToArray();
}
