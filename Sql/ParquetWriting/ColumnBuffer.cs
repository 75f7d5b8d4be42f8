using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.ParquetEncodings;

namespace Dataflow.Sql.ParquetWriting;

/// <summary>The values of one column that wait for their row group to be full: plainly encoded and dense, with a bitmap of the rows that have one.</summary>
internal sealed unsafe class ColumnBuffer
{
    private readonly NativeBytes _validity;
    private readonly ushort[] _present = new ushort[ColumnBatch.MaxRows];

    /// <summary>An empty buffer.</summary>
    /// <param name="arena">Whose memory it takes.</param>
    /// <param name="column">How values are stored.</param>
    /// <param name="rows">Most rows it will hold.</param>
    public ColumnBuffer(TaskArena arena, WrittenColumn column, int rows)
    {
        Column = column;
        Values = new NativeBytes(arena);
        _validity = new NativeBytes(arena);
        _validity.Reserve((rows / 8) + 16);
    }

    /// <summary>How values are stored.</summary>
    public WrittenColumn Column { get; }

    /// <summary>The values that are not null, plainly encoded; booleans a byte each.</summary>
    public NativeBytes Values { get; }

    /// <summary>A bit a row, set if it has a value.</summary>
    public ulong* Validity => (ulong*)_validity.Pointer;

    /// <summary>Rows.</summary>
    public int Rows { get; private set; }

    /// <summary>Rows that have a value.</summary>
    public int Present { get; private set; }

    /// <summary>Forgets all rows.</summary>
    public void Clear()
    {
        Values.Clear();
        Rows = 0;
        Present = 0;
    }

    /// <summary>Adds rows.</summary>
    /// <param name="vector">The column of a batch.</param>
    /// <param name="rows">Which rows of it.</param>
    /// <exception cref="QueryException">A row is null, and the column may not be.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(ColumnVector vector, ReadOnlySpan<ushort> rows)
    {
        var present = FindPresent(vector, rows);
        if (present.Length < rows.Length && !Column.Field.Nullable)
            throw new QueryException("NOT_NULL_CONSTRAINT_VIOLATION", $"Column '{Column.Field.Name}' is not null, but row {Rows + present.Length:N0} of its row group is.");
        Rows += rows.Length;
        Present += present.Length;
        if (present.IsEmpty) return;
        switch (vector.Type.Physical)
        {
            case PhysicalType.Bit: AddBits(vector, present); break;
            case PhysicalType.Int8: Add<sbyte, int>(vector, present); break;
            case PhysicalType.Int16: Add<short, int>(vector, present); break;
            case PhysicalType.Int32: Add<int, int>(vector, present); break;
            case PhysicalType.Int64 when Column.Width == 4: Add<long, int>(vector, present); break;
            case PhysicalType.Int64: Add<long, long>(vector, present); break;
            case PhysicalType.Float32: Add<float, float>(vector, present); break;
            case PhysicalType.Float64: Add<double, double>(vector, present); break;
            case PhysicalType.Int128: AddWide(vector, present); break;
            default: AddBytes(vector, present); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ReadOnlySpan<ushort> FindPresent(ColumnVector vector, ReadOnlySpan<ushort> rows)
    {
        if (vector.Type.Kind == TypeKind.Null || vector.IsNullConstant)
        {
            BitRuns.Fill(Validity, Rows, rows.Length, false);
            return [];
        }
        if (vector.Validity == null || vector.Form == VectorForm.Constant)
        {
            BitRuns.Fill(Validity, Rows, rows.Length, true);
            return rows;
        }
        var count = 0;
        BitRuns.Fill(Validity, Rows, rows.Length, false);
        for (var i = 0; i < rows.Length; i++)
        {
            var row = rows[i];
            if ((vector.Validity[row >> 6] >> (row & 63) & 1) == 0) continue;
            var bit = Rows + i;
            Validity[bit >> 6] |= 1UL << (bit & 63);
            _present[count++] = row;
        }
        return _present.AsSpan(0, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Add<TFrom, TTo>(ColumnVector vector, ReadOnlySpan<ushort> rows)
        where TFrom : unmanaged, INumberBase<TFrom>
        where TTo : unmanaged, INumberBase<TTo>
    {
        var to = (TTo*)Values.Reserve(rows.Length * sizeof(TTo));
        switch (vector.Form)
        {
            case VectorForm.Flat:
                var from = (TFrom*)vector.Data;
                if (typeof(TFrom) == typeof(TTo) && rows[^1] - rows[0] == rows.Length - 1) Buffer.MemoryCopy(from + rows[0], to, (long)rows.Length * sizeof(TTo), (long)rows.Length * sizeof(TTo));
                else for (var i = 0; i < rows.Length; i++) to[i] = TTo.CreateTruncating(from[rows[i]]);
                break;
            case VectorForm.Constant:
                new Span<TTo>(to, rows.Length).Fill(TTo.CreateTruncating(*(TFrom*)vector.Data));
                break;
            default:
                var values = (TFrom*)vector.Dictionary!.Values.Data;
                for (var i = 0; i < rows.Length; i++) to[i] = TTo.CreateTruncating(values[vector.Codes[rows[i]]]);
                break;
        }
        Values.Advance(rows.Length * sizeof(TTo));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddBits(ColumnVector vector, ReadOnlySpan<ushort> rows)
    {
        var to = Values.Reserve(rows.Length);
        for (var i = 0; i < rows.Length; i++) to[i] = vector.Bit(rows[i]) ? (byte)1 : (byte)0;
        Values.Advance(rows.Length);
    }

    private void AddWide(ColumnVector vector, ReadOnlySpan<ushort> rows)
    {
        var width = Column.Width;
        var to = Values.Reserve(rows.Length * width);
        var bytes = stackalloc byte[16];
        foreach (var row in rows)
        {
            BinaryPrimitives.WriteInt128BigEndian(new Span<byte>(bytes, 16), vector.Value<Int128>(row));
            Buffer.MemoryCopy(bytes + 16 - width, to, width, width);
            to += width;
        }
        Values.Advance(rows.Length * width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddBytes(ColumnVector vector, ReadOnlySpan<ushort> rows)
    {
        var views = (StringView*)(vector.Form == VectorForm.Dictionary ? vector.Dictionary!.Values.Data : vector.Data);
        var bytes = 0L;
        foreach (var row in rows) bytes += 4 + (uint)views[IndexOf(vector, row)].Length;
        if (bytes > int.MaxValue) throw new QueryException("PARQUET_ROW_GROUP_TOO_LARGE", $"Column '{Column.Field.Name}' has {bytes:N0} bytes in one batch, more than a page can hold.");
        var start = Values.Reserve((int)bytes);
        var to = start;
        foreach (var row in rows)
        {
            var view = views + IndexOf(vector, row);
            var length = view->Length;
            if (length <= StringView.MaxInline)
            {
                // Length and bytes lie together as they are stored; what else is copied the next value overwrites, and the last one's slack takes.
                Vector128.Load((byte*)view).Store(to);
                to += 4 + length;
                continue;
            }
            *(int*)to = length;
            Unsafe.CopyBlockUnaligned(to + 4, view->Pointer, (uint)length);
            to += 4 + length;
        }
        Values.Advance((int)(to - start));
    }

    private static uint IndexOf(ColumnVector vector, ushort row) => vector.Form switch
    {
        VectorForm.Flat => row,
        VectorForm.Constant => 0,
        _ => vector.Codes[row],
    };
}
