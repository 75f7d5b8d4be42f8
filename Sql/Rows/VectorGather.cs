using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Rows;

/// <summary>Copies rows of vectors into others, in any order and as often as wanted. Text is pointed at; codes stay codes.</summary>
internal sealed unsafe class VectorGather
{
    private readonly FlatVector _flat;
    private readonly NativeBuffer _codes;
    private readonly ColumnVector _vector;

    public VectorGather(TaskArena arena, DataType type)
    {
        _flat = new FlatVector(arena, type);
        _codes = arena.Rent(ColumnBatch.MaxRows * sizeof(uint));
        _vector = new ColumnVector(type);
    }

    /// <summary>Copies rows.</summary>
    /// <param name="source">The vector.</param>
    /// <param name="rows">At most <see cref="ColumnBatch.MaxRows"/> rows of it.</param>
    public ColumnVector Gather(ColumnVector source, ReadOnlySpan<ushort> rows)
    {
        if (source.Form == VectorForm.Constant)
        {
            _vector.Share(source);
            _vector.Length = rows.Length;
            return _vector;
        }
        var hasNulls = source.Validity != null;
        if (hasNulls) GatherBits(source.Validity, rows, _flat.Validity);
        if (source.Form == VectorForm.Dictionary)
        {
            var codes = (uint*)_codes.Pointer;
            for (var i = 0; i < rows.Length; i++) codes[i] = source.Codes[rows[i]];
            _vector.Form = VectorForm.Dictionary;
            _vector.Length = rows.Length;
            _vector.Codes = codes;
            _vector.Dictionary = source.Dictionary;
            _vector.Validity = hasNulls ? _flat.Validity : null;
            _vector.Bounds = source.Bounds;
            return _vector;
        }
        switch (source.Type.Physical)
        {
            case PhysicalType.Bit: GatherBits((ulong*)source.Data, rows, (ulong*)_flat.Data); break;
            case PhysicalType.Int8: GatherFixed<byte>(source, rows); break;
            case PhysicalType.Int16: GatherFixed<short>(source, rows); break;
            case PhysicalType.Int32 or PhysicalType.Float32: GatherFixed<int>(source, rows); break;
            case PhysicalType.Int64 or PhysicalType.Float64: GatherFixed<long>(source, rows); break;
            default: GatherFixed<Int128>(source, rows); break;
        }
        return _flat.Set(rows.Length, hasNulls, source.Bounds);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void GatherFixed<T>(ColumnVector source, ReadOnlySpan<ushort> rows) where T : unmanaged
    {
        var from = (T*)source.Data;
        var to = (T*)_flat.Data;
        for (var i = 0; i < rows.Length; i++) to[i] = from[rows[i]];
    }

    private static void GatherBits(ulong* from, ReadOnlySpan<ushort> rows, ulong* to)
    {
        for (var word = 0; word << 6 < rows.Length; word++)
        {
            var bits = 0UL;
            var count = Math.Min(64, rows.Length - (word << 6));
            for (var i = 0; i < count; i++)
            {
                var row = rows[(word << 6) + i];
                bits |= (from[row >> 6] >> (row & 63) & 1) << i;
            }
            to[word] = bits;
        }
    }
}
