using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>A value a group of any type that has no children: 16 bytes, or bytes of its own.</summary>
internal sealed unsafe class ValueStates(DataType type)
{
    private readonly GroupArray<Int128> _values = new();
    private readonly GroupArray<byte[]?> _bytes = new();
    private readonly GroupArray<bool> _isNull = new();
    private readonly bool _isView = type.Physical == PhysicalType.View;

    public int BytesPerGroup => _isView ? 9 : 17;

    public long ExtraBytes { get; private set; }

    public void Grow(int groups)
    {
        if (_isView) _bytes.Grow(groups);
        else _values.Grow(groups);
        _isNull.Grow(groups);
    }

    public void Clear()
    {
        _values.Clear();
        _bytes.Clear();
        _isNull.Clear();
        ExtraBytes = 0;
    }

    public void Set(int group, ColumnVector vector, int row)
    {
        _isNull.Items[group] = vector.IsNull(row);
        if (_isView)
        {
            ExtraBytes -= _bytes.Items[group] is { } old ? old.Length + 24 : 0;
            var bytes = vector.IsNull(row) ? null : StringView.BytesOf((StringView*)vector.ValueAt(row)).ToArray();
            _bytes.Items[group] = bytes;
            ExtraBytes += bytes is null ? 0 : bytes.Length + 24;
            return;
        }
        if (vector.IsNull(row)) return;
        Int128 value = 0;
        if (type.Physical == PhysicalType.Bit) value = BitAt(vector, row) ? 1 : 0;
        else Buffer.MemoryCopy(vector.ValueAt(row), &value, 16, type.ByteWidth);
        _values.Items[group] = value;
    }

    /// <summary>How a group's value stands to a row's, neither of them null.</summary>
    public int Compare(int group, ColumnVector vector, int row)
    {
        if (_isView) return _bytes.Items[group].AsSpan().SequenceCompareTo(StringView.BytesOf((StringView*)vector.ValueAt(row)));
        var mine = _values.Items[group];
        return type.Physical switch
        {
            PhysicalType.Bit => ((int)mine).CompareTo(BitAt(vector, row) ? 1 : 0),
            PhysicalType.Int8 => (*(sbyte*)&mine).CompareTo(vector.Value<sbyte>(row)),
            PhysicalType.Int16 => (*(short*)&mine).CompareTo(vector.Value<short>(row)),
            PhysicalType.Int32 => (*(int*)&mine).CompareTo(vector.Value<int>(row)),
            PhysicalType.Int64 => (*(long*)&mine).CompareTo(vector.Value<long>(row)),
            PhysicalType.Int128 => mine.CompareTo(vector.Value<Int128>(row)),
            // CompareTo takes NaN as the smallest.
            PhysicalType.Float32 => Order(*(float*)&mine, vector.Value<float>(row)),
            _ => Order(*(double*)&mine, vector.Value<double>(row)),
        };

        static int Order(double left, double right) => double.IsNaN(left) ? double.IsNaN(right) ? 0 : 1 : double.IsNaN(right) ? -1 : left.CompareTo(right);
    }

    public void Write(int first, int count, FlatVector to, TextHeap heap, Func<int, bool>? isPresent = null)
    {
        var hasNulls = false;
        Bits.Fill(to.Validity, count);
        if (type.Physical == PhysicalType.Bit) Bits.Zero((ulong*)to.Data, count);
        for (var i = 0; i < count; i++)
        {
            var group = first + i;
            if (_isView) ((StringView*)to.Data)[i] = default;
            if (_isNull.Items[group] || (isPresent is not null && !isPresent(group)))
            {
                hasNulls = true;
                Bits.Clear(to.Validity, i);
                continue;
            }
            if (_isView)
            {
                ((StringView*)to.Data)[i] = heap.Add(_bytes.Items[group]);
                continue;
            }
            var value = _values.Items[group];
            if (type.Physical != PhysicalType.Bit) Buffer.MemoryCopy(&value, to.Data + ((nint)i * type.ByteWidth), type.ByteWidth, type.ByteWidth);
            else if (value != 0) Bits.Set((ulong*)to.Data, i);
        }
        to.Set(count, hasNulls);
    }

    private static bool BitAt(ColumnVector vector, int row) =>
        vector.Form == VectorForm.Dictionary ? vector.Dictionary!.Values.Bit((int)vector.Codes[row]) : vector.Bit(row);
}
