using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Sums of integers or decimals by group, exact in 128 bits. They are kept in 64 bits as long as nothing that was added could overflow them.</summary>
internal sealed unsafe class ExactSums
{
    private readonly GroupArray<long> _low = new();
    private readonly GroupArray<Int128> _wide = new();
    private int _groups;
    private bool _hasWide;

    // No low sum is larger than this.
    private Int128 _reach;

    public int BytesPerGroup => _hasWide ? 24 : 8;

    public void Grow(int groups)
    {
        _groups = groups;
        _low.Grow(groups);
        if (_hasWide) _wide.Grow(groups);
    }

    public void Clear()
    {
        _low.Clear();
        _wide.Clear();
        _hasWide = false;
        _reach = 0;
        _groups = 0;
    }

    public Int128 this[int group] => _low.Items[group] + (_hasWide ? _wide.Items[group] : 0);

    public void Add(int group, Int128 value)
    {
        if (value == 0) return;
        var size = value < 0 ? -value : value;
        if (size > 0 && _reach + size <= long.MaxValue)
        {
            _reach += size;
            _low.Items[group] += (long)value;
            return;
        }
        MakeWide();
        _wide.Items[group] = Sum(_wide.Items[group], value);
    }

    /// <summary>A sum that 128 bits hold.</summary>
    /// <exception cref="QueryException">They do not.</exception>
    public static Int128 Sum(Int128 left, Int128 right)
    {
        var sum = unchecked(left + right);
        if (((left ^ sum) & (right ^ sum)) < 0)
            throw new QueryException("ARITHMETIC_OVERFLOW", "A sum has more than 38 digits. Sum fewer or smaller values, or cast them to double.");
        return sum;
    }

    /// <summary>Adds rows that are not null to their groups.</summary>
    public void Add(ColumnVector vector, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        if (rows.Length == 0) return;
        switch (vector.Type.Physical)
        {
            case PhysicalType.Int8: Add<sbyte>(vector, rows, groups, 1L << 8); break;
            case PhysicalType.Int16: Add<short>(vector, rows, groups, 1L << 16); break;
            case PhysicalType.Int32: Add<int>(vector, rows, groups, 1L << 32); break;
            case PhysicalType.Int64:
                var bounds = BoundsOf.Vector(vector, vector.Length, vector.Validity);
                Add<long>(vector, rows, groups, bounds!.Magnitude);
                break;
            default:
                MakeWide();
                var values = new WideOperand(vector);
                for (var i = 0; i < rows.Length; i++)
                {
                    if (!vector.IsNull(rows[i])) _wide.Items[groups[i]] = Sum(_wide.Items[groups[i]], values[rows[i]]);
                }
                break;
        }
    }

    private void Add<T>(ColumnVector vector, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups, Int128 magnitude)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        var reach = magnitude * rows.Length;
        var values = new Operand<T>(vector);
        var hasNulls = vector.Validity != null;
        if (_reach + reach > long.MaxValue) MakeWide();
        if (reach > long.MaxValue)
        {
            for (var i = 0; i < rows.Length; i++)
            {
                if (!hasNulls || !vector.IsNull(rows[i])) _wide.Items[groups[i]] += long.CreateTruncating(values[rows[i]]);
            }
            return;
        }
        _reach += reach;
        var low = _low.Items;
        if (hasNulls)
        {
            for (var i = 0; i < rows.Length; i++)
            {
                if (!vector.IsNull(rows[i])) low[groups[i]] += long.CreateTruncating(values[rows[i]]);
            }
            return;
        }
        if (vector.Form == VectorForm.Flat)
        {
            var data = (T*)vector.Data;
            for (var i = 0; i < rows.Length; i++) low[groups[i]] += long.CreateTruncating(data[rows[i]]);
            return;
        }
        for (var i = 0; i < rows.Length; i++) low[groups[i]] += long.CreateTruncating(values[rows[i]]);
    }

    // Moves the low sums where they have room, so that they can begin again from zero.
    private void MakeWide()
    {
        _hasWide = true;
        _wide.Grow(_low.Items.Length);
        for (var i = 0; i < _groups; i++)
        {
            _wide.Items[i] += _low.Items[i];
            _low.Items[i] = 0;
        }
        _reach = 0;
    }
}
