using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Rows;

/// <summary>Compares rows of a batch with rows that were kept, a column after the other. Nulls are equal, so are zeros of either sign and NaNs.</summary>
internal static unsafe class KeyEquality
{
    /// <summary>Finds the rows that differ.</summary>
    /// <param name="keys">Columns of the batch.</param>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="kept">Columns that were kept.</param>
    /// <param name="numbers">For each row, which kept one it is compared with.</param>
    /// <param name="candidates">Positions in <paramref name="rows"/> that are looked at; overwritten.</param>
    /// <param name="unequal">Takes the positions that differ; may be where <paramref name="candidates"/> came from only if longer.</param>
    /// <returns>How many differ.</returns>
    public static int KeepUnequal(
        ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, RowStore kept, ReadOnlySpan<int> numbers, Span<int> candidates, Span<int> unequal)
    {
        var differ = 0;
        for (var k = 0; k < keys.Length && candidates.Length > 0; k++)
        {
            var equal = keys[k].Type.Physical switch
            {
                PhysicalType.Bit => Compare<bool>(keys[k], rows, kept[k], numbers, candidates, unequal, ref differ),
                PhysicalType.Int8 => Compare<byte>(keys[k], rows, kept[k], numbers, candidates, unequal, ref differ),
                PhysicalType.Int16 => Compare<short>(keys[k], rows, kept[k], numbers, candidates, unequal, ref differ),
                PhysicalType.Int32 => Compare<int>(keys[k], rows, kept[k], numbers, candidates, unequal, ref differ),
                PhysicalType.Int64 => Compare<long>(keys[k], rows, kept[k], numbers, candidates, unequal, ref differ),
                PhysicalType.Float32 => Compare<float>(keys[k], rows, kept[k], numbers, candidates, unequal, ref differ),
                PhysicalType.Float64 => Compare<double>(keys[k], rows, kept[k], numbers, candidates, unequal, ref differ),
                PhysicalType.Int128 => Compare<Int128>(keys[k], rows, kept[k], numbers, candidates, unequal, ref differ),
                _ => Compare<StringView>(keys[k], rows, kept[k], numbers, candidates, unequal, ref differ),
            };
            candidates = candidates[..equal];
        }
        return differ;
    }

    private static int Compare<T>(
        ColumnVector key, ReadOnlySpan<ushort> rows, ColumnStore kept, ReadOnlySpan<int> numbers, Span<int> candidates, Span<int> unequal, ref int differ)
        where T : unmanaged
    {
        var equal = 0;
        var values = (T*)kept.Data;
        var mayBeNull = key.Validity != null || kept.Validity != null;
        var isFlat = key.Form == VectorForm.Flat;
        foreach (var i in candidates)
        {
            var row = rows[i];
            var number = numbers[i];
            bool isEqual;
            if (mayBeNull && (key.IsNull(row) | kept.IsNull(number))) isEqual = key.IsNull(row) & kept.IsNull(number);
            else if (typeof(T) == typeof(bool)) isEqual = key.Bit(row) == ((((ulong*)values)[number >> 6] >> (number & 63) & 1) != 0);
            else isEqual = AreEqual(isFlat ? (T*)key.Data + row : (T*)key.ValueAt(row), values + number);
            if (isEqual) candidates[equal++] = i;
            else unequal[differ++] = i;
        }
        return equal;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AreEqual<T>(T* left, T* right) where T : unmanaged
    {
        if (typeof(T) == typeof(StringView)) return StringView.AreEqual((StringView*)left, (StringView*)right);
        if (typeof(T) == typeof(double)) return *(double*)left == *(double*)right || (double.IsNaN(*(double*)left) && double.IsNaN(*(double*)right));
        if (typeof(T) == typeof(float)) return *(float*)left == *(float*)right || (float.IsNaN(*(float*)left) && float.IsNaN(*(float*)right));
        return EqualityComparer<T>.Default.Equals(*left, *right);
    }
}
