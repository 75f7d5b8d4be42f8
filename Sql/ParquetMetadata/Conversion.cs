using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.ParquetMetadata;

/// <summary>Turns stored values into ours, many at a time. (Apache Parquet format, LogicalTypes.md)</summary>
internal static unsafe class Conversion
{
    private const long MicrosOfDay = 86_400_000_000;
    private const int JulianDayOfEpoch = 2_440_588;

    /// <summary>Converts.</summary>
    /// <param name="column">From what to what.</param>
    /// <param name="from">Stored values, dense.</param>
    /// <param name="to">Room for ours.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="CorruptDataException">A value does not fit the type.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(StoredColumn column, byte* from, byte* to, int count)
    {
        switch (column.Form)
        {
            case ValueForm.Int32ToInt8:
                for (var i = 0; i < count; i++) ((sbyte*)to)[i] = (sbyte)((int*)from)[i];
                break;
            case ValueForm.Int32ToInt16:
                for (var i = 0; i < count; i++) ((short*)to)[i] = (short)((int*)from)[i];
                break;
            case ValueForm.Int32ToInt64:
                for (var i = 0; i < count; i++) ((long*)to)[i] = ((int*)from)[i];
                break;
            case ValueForm.UInt32ToInt64:
                for (var i = 0; i < count; i++) ((long*)to)[i] = ((uint*)from)[i];
                break;
            case ValueForm.Int64ToInt128:
                for (var i = 0; i < count; i++) ((Int128*)to)[i] = ((long*)from)[i];
                break;
            case ValueForm.UInt64ToInt128:
                for (var i = 0; i < count; i++) ((Int128*)to)[i] = ((ulong*)from)[i];
                break;
            case ValueForm.MillisToMicros:
                Millis((long*)from, (long*)to, count);
                break;
            case ValueForm.NanosToMicros:
                for (var i = 0; i < count; i++) ((long*)to)[i] = FloorDivide(((long*)from)[i]);
                break;
            case ValueForm.Int96ToMicros:
                for (var i = 0; i < count; i++) ((long*)to)[i] = Int96(from + ((nint)i * 12));
                break;
            case ValueForm.HalfToFloat:
                for (var i = 0; i < count; i++) ((float*)to)[i] = (float)((Half*)from)[i];
                break;
            case ValueForm.FloatToDouble:
                for (var i = 0; i < count; i++) ((double*)to)[i] = ((float*)from)[i];
                break;
            case ValueForm.FixedToInt64:
                for (var i = 0; i < count; i++) ((long*)to)[i] = Narrow(from + ((nint)i * column.Length), column.Length);
                break;
            case ValueForm.FixedToInt128:
                for (var i = 0; i < count; i++) ((Int128*)to)[i] = Wide(from + ((nint)i * column.Length), column.Length);
                break;
            case ValueForm.BytesToInt64:
                for (var i = 0; i < count; i++) ((long*)to)[i] = Narrow(StringView.PointerOf((StringView*)from + i), ((StringView*)from)[i].Length);
                break;
            case ValueForm.BytesToInt128:
                for (var i = 0; i < count; i++) ((Int128*)to)[i] = Wide(StringView.PointerOf((StringView*)from + i), ((StringView*)from)[i].Length);
                break;
            case ValueForm.FixedToView:
                for (var i = 0; i < count; i++) ((StringView*)to)[i] = StringView.Of(from + ((nint)i * column.Length), column.Length);
                break;
            default:
                throw new InvalidOperationException($"{column.Form} is no conversion. Please report this.");
        }
    }

    /// <summary>A big-endian number with a sign.</summary>
    public static Int128 Wide(byte* bytes, int length)
    {
        if (length == 0) return 0;
        Int128 value = (sbyte)bytes[0];
        var skipped = Math.Max(0, length - 16);
        for (var i = 0; i < skipped; i++)
        {
            // More bytes than a value needs must repeat its sign.
            if (bytes[i] != (byte)(value < 0 ? 0xFF : 0) || ((sbyte)bytes[skipped] < 0) != (value < 0)) throw Overflow(length);
        }
        if (skipped > 0) value = (sbyte)bytes[skipped];
        for (var i = skipped + 1; i < length; i++) value = (value << 8) | bytes[i];
        return value;
    }

    private static long Narrow(byte* bytes, int length)
    {
        if (length == 8) return BinaryPrimitives.ReverseEndianness(*(long*)bytes);
        if (length > 8)
        {
            var wide = Wide(bytes, length);
            return wide >= long.MinValue && wide <= long.MaxValue ? (long)wide : throw Overflow(length);
        }
        if (length == 0) return 0;
        long value = (sbyte)bytes[0];
        for (var i = 1; i < length; i++) value = (value << 8) | bytes[i];
        return value;
    }

    private static void Millis(long* from, long* to, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var value = from[i];
            if (value is > long.MaxValue / 1000 or < long.MinValue / 1000) throw new CorruptDataException("parquet", 0, $"the timestamp of {value} ms is beyond what 64 bits of microseconds hold");
            to[i] = value * 1000;
        }
    }

    private static long FloorDivide(long nanos)
    {
        var micros = nanos / 1000;
        return nanos < 0 && micros * 1000 != nanos ? micros - 1 : micros;
    }

    private static long Int96(byte* value)
    {
        var nanos = *(long*)value;
        var day = *(int*)(value + 8);
        return unchecked(((day - (long)JulianDayOfEpoch) * MicrosOfDay) + FloorDivide(nanos));
    }

    private static CorruptDataException Overflow(int length) => new("parquet", 0, $"a decimal of {length} bytes has more digits than its column");
}
