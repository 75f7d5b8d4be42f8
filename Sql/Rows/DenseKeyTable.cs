using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Rows;

/// <summary>Keys of small known ranges: the place of a key in an array is worked out, not searched. A null has a place of its own before its range.</summary>
/// <remarks>A key outside the ranges is not found, and can't be added: that statistics of a table were wrong is an error of its source.</remarks>
internal sealed unsafe class DenseKeyTable : KeyTable
{
    private readonly KeyRange[] _ranges;
    private readonly int _places;
    private readonly NativeBuffer _numbers;

    public DenseKeyTable(TaskArena arena, IReadOnlyList<DataType> types, KeyRange[] ranges) : base(arena, types)
    {
        _ranges = ranges;
        _places = (int)PlacesOf(ranges);
        _numbers = arena.Rent(_places * sizeof(int));
        new Span<byte>(_numbers.Pointer, _places * sizeof(int)).Clear();
    }

    /// <summary>How many places keys of some ranges take.</summary>
    public static long PlacesOf(IEnumerable<KeyRange> ranges) => ranges.Aggregate(1L, (all, range) => all > int.MaxValue ? all : all * (range.Length + 1));

    /// <summary>Works out the places of keys; -1 for those outside the ranges.</summary>
    public static void Place(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, KeyRange[] ranges, Span<int> places)
    {
        places.Clear();
        for (var k = 0; k < keys.Length; k++)
        {
            switch (keys[k].Type.Physical)
            {
                case PhysicalType.Int8: Place<sbyte>(keys[k], rows, places, ranges[k]); break;
                case PhysicalType.Int16: Place<short>(keys[k], rows, places, ranges[k]); break;
                case PhysicalType.Int32: Place<int>(keys[k], rows, places, ranges[k]); break;
                default: Place<long>(keys[k], rows, places, ranges[k]); break;
            }
        }
    }

    public override void Clear()
    {
        base.Clear();
        new Span<byte>(_numbers.Pointer, _places * sizeof(int)).Clear();
    }

    protected override void Look(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, Span<int> numbers, bool add)
    {
        var scratch = KeyScratch.Rent();
        var places = scratch.Places.AsSpan(0, rows.Length);
        Place(keys, rows, _ranges, places);
        var known = (int*)_numbers.Pointer;
        if (!add)
        {
            for (var i = 0; i < places.Length; i++) numbers[i] = places[i] < 0 ? -1 : known[places[i]] - 1;
            scratch.Return();
            return;
        }
        var count = Count;
        var added = 0;
        for (var i = 0; i < places.Length; i++)
        {
            if (places[i] < 0) throw KeyOutside(_ranges);
            ref var number = ref known[places[i]];
            if (number == 0)
            {
                scratch.Added[added++] = rows[i];
                number = count + added;
            }
            numbers[i] = number - 1;
        }
        if (added > 0) Keys.Append(keys, scratch.Added.AsSpan(0, added));
        scratch.Return();
    }

    private static void Place<T>(ColumnVector key, ReadOnlySpan<ushort> rows, Span<int> places, KeyRange range) where T : unmanaged
    {
        var min = range.Min;
        var length = (ulong)range.Length;
        var step = (int)length + 1;
        if (key.Form == VectorForm.Flat && key.Validity == null)
        {
            var values = (T*)key.Data;
            for (var i = 0; i < places.Length; i++)
            {
                var offset = (ulong)(Of(values[rows[i]]) - min);
                places[i] = offset < length && places[i] >= 0 ? (places[i] * step) + (int)offset + 1 : -1;
            }
            return;
        }
        for (var i = 0; i < places.Length; i++)
        {
            var row = rows[i];
            if (places[i] < 0) continue;
            if (key.IsNull(row))
            {
                places[i] *= step;
                continue;
            }
            var offset = (ulong)(Of(*(T*)key.ValueAt(row)) - min);
            places[i] = offset < length ? (places[i] * step) + (int)offset + 1 : -1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Of<T>(T value) where T : unmanaged
    {
        if (typeof(T) == typeof(long)) return (long)(object)value;
        if (typeof(T) == typeof(int)) return (int)(object)value;
        return typeof(T) == typeof(short) ? (short)(object)value : (sbyte)(object)value;
    }
}
