using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Rows;

/// <summary>Numbers of whole keys that lie close together, by place in an array that grows with the range that was met.</summary>
internal sealed unsafe class KeyArray(TaskArena arena)
{
    // As large as stays in the processor's cache.
    private const int MostPlaces = 256 << 10;
    private const int LeastPlaces = 1024;

    private NativeBuffer? _numbers;
    private long _min;
    private int _places;

    public static bool Fits(DataType type) =>
        type.Kind is not TypeKind.Boolean && type.Physical is PhysicalType.Int8 or PhysicalType.Int16 or PhysicalType.Int32 or PhysicalType.Int64;

    /// <summary>Finds keys; -1 for those that are not there.</summary>
    public void Look(ColumnVector key, ReadOnlySpan<ushort> rows, Span<int> numbers, int nullNumber)
    {
        switch (key.Type.Physical)
        {
            case PhysicalType.Int8: Look<sbyte>(key, rows, numbers, nullNumber); break;
            case PhysicalType.Int16: Look<short>(key, rows, numbers, nullNumber); break;
            case PhysicalType.Int32: Look<int>(key, rows, numbers, nullNumber); break;
            default: Look<long>(key, rows, numbers, nullNumber); break;
        }
    }

    /// <summary>Finds keys, numbering those that are new behind those that are there.</summary>
    /// <returns>How many are new, their rows in <paramref name="addedRows"/>; -1, and nothing done, if keys lie too far apart.</returns>
    public int TryLook(ColumnVector key, ReadOnlySpan<ushort> rows, Span<int> numbers, int count, ref int nullNumber, ushort[] addedRows) => key.Type.Physical switch
    {
        PhysicalType.Int8 => TryLook<sbyte>(key, rows, numbers, count, ref nullNumber, addedRows),
        PhysicalType.Int16 => TryLook<short>(key, rows, numbers, count, ref nullNumber, addedRows),
        PhysicalType.Int32 => TryLook<int>(key, rows, numbers, count, ref nullNumber, addedRows),
        _ => TryLook<long>(key, rows, numbers, count, ref nullNumber, addedRows),
    };

    /// <summary>Forgets all keys; memory is kept.</summary>
    public void Clear()
    {
        if (_numbers is not null) new Span<int>(_numbers.Pointer, _places).Clear();
    }

    public void Return()
    {
        if (_numbers is not null) arena.Return(_numbers);
        _numbers = null;
    }

    private void Look<T>(ColumnVector key, ReadOnlySpan<ushort> rows, Span<int> numbers, int nullNumber) where T : unmanaged
    {
        for (var i = 0; i < rows.Length; i++)
        {
            var offset = (ulong)(Of(*(T*)key.ValueAt(rows[i])) - _min);
            numbers[i] = key.IsNull(rows[i]) ? nullNumber : offset < (ulong)_places ? ((int*)_numbers!.Pointer)[offset] - 1 : -1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int TryLook<T>(ColumnVector key, ReadOnlySpan<ushort> rows, Span<int> numbers, int count, ref int nullNumber, ushort[] addedRows) where T : unmanaged
    {
        if (rows.Length == 0) return 0;
        var hasNulls = key.Validity != null;
        var isFlat = key.Form == VectorForm.Flat;
        var values = (T*)key.Data;
        if (isFlat && !hasNulls) return TryLookFlat(values, rows, numbers, count, addedRows);
        var (min, max) = (long.MaxValue, long.MinValue);
        foreach (var row in rows)
        {
            if (hasNulls && key.IsNull(row)) continue;
            var value = Of(*(T*)key.ValueAt(row));
            min = Math.Min(min, value);
            max = Math.Max(max, value);
        }
        if (min <= max && !TryReach(min, max)) return -1;
        var known = _numbers is null ? null : (int*)_numbers.Pointer;
        var added = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            var row = rows[i];
            if (hasNulls && key.IsNull(row))
            {
                if (nullNumber < 0)
                {
                    nullNumber = count + added;
                    addedRows[added++] = row;
                }
                numbers[i] = nullNumber;
                continue;
            }
            var place = known + (Of(*(T*)key.ValueAt(row)) - _min);
            if (*place == 0)
            {
                addedRows[added++] = row;
                *place = count + added;
            }
            numbers[i] = *place - 1;
        }
        return added;
    }

    // The array mostly has a place for all keys, and rows are looked at once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int TryLookFlat<T>(T* values, ReadOnlySpan<ushort> rows, Span<int> numbers, int count, ushort[] addedRows) where T : unmanaged
    {
        var added = 0;
        var known = _numbers is null ? null : (int*)_numbers.Pointer;
        var (first, places) = (_min, (ulong)_places);
        for (var i = 0; i < rows.Length; i++)
        {
            var offset = (ulong)(Of(values[rows[i]]) - first);
            if (offset >= places)
            {
                var (min, max) = (long.MaxValue, long.MinValue);
                foreach (var row in rows[i..])
                {
                    var value = Of(values[row]);
                    min = Math.Min(min, value);
                    max = Math.Max(max, value);
                }
                if (!TryReach(min, max)) return -1;
                known = (int*)_numbers!.Pointer;
                (first, places) = (_min, (ulong)_places);
                offset = (ulong)(Of(values[rows[i]]) - first);
            }
            var number = known[offset];
            if (number == 0)
            {
                addedRows[added++] = rows[i];
                number = known[offset] = count + added;
            }
            numbers[i] = number - 1;
        }
        return added;
    }

    // Grows to both sides by half of what there is, so that it grows seldom.
    private bool TryReach(long min, long max)
    {
        if (_numbers is not null && min >= _min && max - _min < _places) return true;
        var first = _numbers is null ? min : Math.Min(min, _min);
        var last = _numbers is null ? max : Math.Max(max, _min + _places - 1);
        if ((ulong)(last - first) >= MostPlaces) return false;
        var wanted = (int)(last - first) + 1;
        var places = Math.Max(LeastPlaces, Math.Min(MostPlaces, wanted + (wanted / 2)));
        var from = first < long.MinValue + places ? first : first - ((places - wanted) / 2);
        if (from > long.MaxValue - places) from = last - places + 1;
        var grown = arena.Rent(places * sizeof(int));
        new Span<int>(grown.Pointer, places).Clear();
        if (_numbers is not null)
        {
            new Span<int>(_numbers.Pointer, _places).CopyTo(new Span<int>((int*)grown.Pointer + (_min - from), _places));
            arena.Return(_numbers);
        }
        (_numbers, _min, _places) = (grown, from, places);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Of<T>(T value) where T : unmanaged
    {
        if (typeof(T) == typeof(long)) return (long)(object)value;
        if (typeof(T) == typeof(int)) return (int)(object)value;
        return typeof(T) == typeof(short) ? (short)(object)value : (sbyte)(object)value;
    }
}
