using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Joins;

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
            candidates = candidates[..Compare(keys[k], rows, new StoredColumn(kept[k]), numbers, candidates, unequal, ref differ)];
        return differ;
    }

    /// <summary>The same with rows of a join's build side.</summary>
    /// <param name="keys">Columns of the batch.</param>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="kept">The build side.</param>
    /// <param name="columns">Its key columns.</param>
    /// <param name="numbers">For each row, which one of the build side it is compared with.</param>
    /// <param name="candidates">Positions in <paramref name="rows"/> that are looked at; those that are equal come first, in their order.</param>
    /// <param name="unequal">Takes the positions that differ.</param>
    /// <returns>How many differ.</returns>
    public static int KeepUnequal(
        ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, BuildRows kept, int[] columns, ReadOnlySpan<int> numbers, Span<int> candidates, Span<int> unequal)
    {
        var differ = 0;
        for (var k = 0; k < keys.Length && candidates.Length > 0; k++)
            candidates = candidates[..Compare(keys[k], rows, new BuildColumn(kept, columns[k]), numbers, candidates, unequal, ref differ)];
        return differ;
    }

    private static int Compare<TKept>(
        ColumnVector key, ReadOnlySpan<ushort> rows, TKept kept, ReadOnlySpan<int> numbers, Span<int> candidates, Span<int> unequal, ref int differ)
        where TKept : struct, IKeptColumn => key.Type.Physical switch
        {
            PhysicalType.Bit => Compare<bool, TKept>(key, rows, kept, numbers, candidates, unequal, ref differ),
            PhysicalType.Int8 => Compare<byte, TKept>(key, rows, kept, numbers, candidates, unequal, ref differ),
            PhysicalType.Int16 => Compare<short, TKept>(key, rows, kept, numbers, candidates, unequal, ref differ),
            PhysicalType.Int32 => Compare<int, TKept>(key, rows, kept, numbers, candidates, unequal, ref differ),
            PhysicalType.Int64 => Compare<long, TKept>(key, rows, kept, numbers, candidates, unequal, ref differ),
            PhysicalType.Float32 => Compare<float, TKept>(key, rows, kept, numbers, candidates, unequal, ref differ),
            PhysicalType.Float64 => Compare<double, TKept>(key, rows, kept, numbers, candidates, unequal, ref differ),
            PhysicalType.Int128 => Compare<Int128, TKept>(key, rows, kept, numbers, candidates, unequal, ref differ),
            _ => Compare<StringView, TKept>(key, rows, kept, numbers, candidates, unequal, ref differ),
        };

    private static int Compare<T, TKept>(
        ColumnVector key, ReadOnlySpan<ushort> rows, TKept kept, ReadOnlySpan<int> numbers, Span<int> candidates, Span<int> unequal, ref int differ)
        where T : unmanaged where TKept : struct, IKeptColumn
    {
        var equal = 0;
        var mayBeNull = key.Validity != null || kept.MayBeNull;
        var isFlat = key.Form == VectorForm.Flat;
        foreach (var i in candidates)
        {
            var row = rows[i];
            var number = numbers[i];
            bool isEqual;
            if (mayBeNull && (key.IsNull(row) | kept.IsNull(number))) isEqual = key.IsNull(row) & kept.IsNull(number);
            else if (typeof(T) == typeof(bool)) isEqual = key.Bit(row) == kept.Bit(number);
            else isEqual = AreEqual(isFlat ? (T*)key.Data + row : (T*)key.ValueAt(row), kept.At<T>(number));
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

    // Where kept rows are; structs, so that each has a loop of its own.
    private interface IKeptColumn
    {
        bool MayBeNull { get; }

        bool IsNull(int row);

        bool Bit(int row);

        T* At<T>(int row) where T : unmanaged;
    }

    private readonly struct StoredColumn(ColumnStore store) : IKeptColumn
    {
        private readonly byte* _data = store.Data;
        private readonly ulong* _validity = store.Validity;

        public bool MayBeNull => _validity != null;

        public bool IsNull(int row) => _validity != null && (_validity[row >> 6] >> (row & 63) & 1) == 0;

        public bool Bit(int row) => (((ulong*)_data)[row >> 6] >> (row & 63) & 1) != 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T* At<T>(int row) where T : unmanaged => (T*)_data + row;
    }

    private readonly struct BuildColumn(BuildRows rows, int column) : IKeptColumn
    {
        private readonly nint[] _data = rows.DataOf(column);

        public bool MayBeNull => rows.HasNulls(column);

        public bool IsNull(int row) => rows.IsNull(column, row);

        public bool Bit(int row)
        {
            var place = row & (ColumnBatch.MaxRows - 1);
            return (((ulong*)_data[row >> BuildRows.ChunkBits])[place >> 6] >> (place & 63) & 1) != 0;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T* At<T>(int row) where T : unmanaged => (T*)_data[row >> BuildRows.ChunkBits] + (row & (ColumnBatch.MaxRows - 1));
    }
}
