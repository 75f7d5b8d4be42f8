using System.Numerics;
using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Rows;

/// <summary>
/// Hashes of rows over some columns: the same in every process, for tables and exchanges alike. Exchanges take their bits from the top, tables from
/// the bottom, so that rows of one partition still spread over a table.
/// </summary>
internal static unsafe class RowHash
{
    private const ulong Seed = 0x9E3779B97F4A7C15;
    private const ulong NullHash = 0xD6E8FEB86659FD93;

    /// <summary>Hashes rows.</summary>
    /// <param name="keys">The columns.</param>
    /// <param name="rows">Which rows.</param>
    /// <param name="hashes">One for each of <paramref name="rows"/>.</param>
    public static void Of(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<ulong> hashes)
    {
        hashes[..rows.Length].Fill(Seed);
        foreach (var key in keys)
        {
            switch (key.Type.Physical)
            {
                case PhysicalType.Bit: Add<byte>(key, rows, hashes); break;
                case PhysicalType.Int8: Add<sbyte>(key, rows, hashes); break;
                case PhysicalType.Int16: Add<short>(key, rows, hashes); break;
                case PhysicalType.Int32: Add<int>(key, rows, hashes); break;
                case PhysicalType.Int64: Add<long>(key, rows, hashes); break;
                case PhysicalType.Float32: Add<float>(key, rows, hashes); break;
                case PhysicalType.Float64: Add<double>(key, rows, hashes); break;
                case PhysicalType.Int128: Add<Int128>(key, rows, hashes); break;
                default: Add<StringView>(key, rows, hashes); break;
            }
        }
    }

    /// <summary>The hash of some bytes, eight at a time.</summary>
    public static ulong OfBytes(byte* bytes, int length)
    {
        var hash = (ulong)length * Seed;
        for (; length >= 8; length -= 8, bytes += 8) hash = Mix(hash ^ Unsafe.ReadUnaligned<ulong>(bytes));
        if (length == 0) return hash;
        var last = 0UL;
        for (var i = 0; i < length; i++) last |= (ulong)bytes[i] << (8 * i);
        return Mix(hash ^ last);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Mix(ulong value)
    {
        var high = Math.BigMul(value ^ Seed, 0xA0761D6478BD642F, out var low);
        return high ^ low;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add<T>(ColumnVector key, ReadOnlySpan<ushort> rows, Span<ulong> hashes) where T : unmanaged
    {
        if (key.Validity == null && key.Form == VectorForm.Flat && typeof(T) != typeof(byte))
        {
            var values = (T*)key.Data;
            for (var i = 0; i < rows.Length; i++) hashes[i] = Mix(hashes[i] ^ Of(values + rows[i]));
            return;
        }
        for (var i = 0; i < rows.Length; i++)
        {
            var row = rows[i];
            ulong hash;
            if (key.IsNull(row)) hash = NullHash;
            else if (typeof(T) == typeof(byte)) hash = key.Bit(row) ? 1UL : 2UL;
            else hash = Of((T*)key.ValueAt(row));
            hashes[i] = Mix(hashes[i] ^ hash);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Of<T>(T* value) where T : unmanaged
    {
        if (typeof(T) == typeof(StringView)) return OfBytes(StringView.PointerOf((StringView*)value), ((StringView*)value)->Length);
        if (typeof(T) == typeof(Int128)) return Mix(((ulong*)value)[0]) ^ ((ulong*)value)[1];
        if (typeof(T) == typeof(double)) return BitsOf(*(double*)value);
        if (typeof(T) == typeof(float)) return BitsOf(*(float*)value);
        if (typeof(T) == typeof(long)) return *(ulong*)value;
        if (typeof(T) == typeof(int)) return (ulong)*(int*)value;
        return typeof(T) == typeof(short) ? (ulong)*(short*)value : (ulong)*(sbyte*)value;
    }

    /// <summary>The bits of a number as keys compare it: one zero, one NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong BitsOf(double value) => value == 0 ? 0 : double.IsNaN(value) ? 0x7FF8000000000000 : BitConverter.DoubleToUInt64Bits(value);
}
