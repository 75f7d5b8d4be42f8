using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Physical;

/// <summary>Which rows of a partition a row's frame holds.</summary>
internal sealed class FrameBounds
{
    private readonly WindowFrame _frame;
    private readonly int _start;
    private readonly int _end;
    private readonly PeerGroups _peers;
    private readonly FrameValues? _values;

    /// <param name="frame">The frame.</param>
    /// <param name="start">First row of the partition.</param>
    /// <param name="end">The row after its last.</param>
    /// <param name="peers">Its peers.</param>
    /// <param name="rows">All rows.</param>
    /// <param name="orders">The order's keys.</param>
    public FrameBounds(WindowFrame frame, int start, int end, PeerGroups peers, RowStore rows, RowOrderKey[] orders)
    {
        _frame = frame;
        _start = start;
        _end = end;
        _peers = peers;
        if (frame.IsRange && (!IsRowItself(frame.Start) || !IsRowItself(frame.End)) && (frame.Start ?? frame.End) is not null)
            _values = new FrameValues(rows[orders[0].Column], orders[0].Descending, start, end);
    }

    /// <summary>First row, and the row after the last; empty if they are equal.</summary>
    public (int First, int End) Of(int row)
    {
        var first = _frame.Start is null ? _start : Bound(row, _frame.Start, isEnd: false);
        var end = _frame.End is null ? _end : Bound(row, _frame.End, isEnd: true);
        return first >= end ? (first, first) : (first, end);
    }

    private int Bound(int row, Literal offset, bool isEnd)
    {
        if (!_frame.IsRange) return (int)Int128.Clamp(row + FrameValues.WholeOf(offset) + (isEnd ? 1 : 0), _start, _end);
        if (IsRowItself(offset) || _values!.IsNull(row)) return isEnd ? _peers.EndOf(row) : _peers.FirstOf(row);
        return _values.Find(row, offset, isEnd);
    }

    /// <summary>Whether a bound is the row itself, or its peers.</summary>
    public static bool IsRowItself(Literal? offset) => offset?.Value switch
    {
        null => true,
        double number => number == 0,
        float number => number == 0,
        _ => FrameValues.WholeOf(offset) == 0,
    };
}

/// <summary>The values of an order's key in one partition, in that order, among which frames look for their bounds.</summary>
internal sealed unsafe class FrameValues
{
    private const long MicrosecondsOfDay = 86_400_000_000;

    private readonly ColumnStore _column;
    private readonly bool _isDescending;
    private readonly int _start;
    private readonly int _end;

    /// <param name="column">The key, by row.</param>
    /// <param name="isDescending">Whether the largest come first.</param>
    /// <param name="start">First row of the partition.</param>
    /// <param name="end">The row after its last.</param>
    public FrameValues(ColumnStore column, bool isDescending, int start, int end)
    {
        if (column.Type.Physical is PhysicalType.View or PhysicalType.Bit)
            throw new QueryException("DATATYPE_MISMATCH", $"RANGE frames with offsets need an order by a number, a date or a time, not by {column.Type}.");
        _column = column;
        _isDescending = isDescending;

        // Values without nulls are together: nulls are first or last.
        (_start, _end) = (start, end);
        while (_start < end && column.IsNull(_start)) _start++;
        while (_end > _start && column.IsNull(_end - 1)) _end--;
    }

    /// <summary>Whether a row's key is null.</summary>
    public bool IsNull(int row) => row < _start || row >= _end;

    /// <summary>The first row whose value is a distance from a row's value, or behind it; for an end, strictly behind it.</summary>
    public int Find(int row, Literal distance, bool isEnd)
    {
        if (_column.Type.Physical is not (PhysicalType.Float32 or PhysicalType.Float64)) return Find(WholeBound(row, distance), WholeValue, isEnd);
        var offset = Convert.ToDouble(distance.Value, System.Globalization.CultureInfo.InvariantCulture);
        return Find(Real(row) + (_isDescending ? -offset : offset), Real, isEnd);
    }

    /// <summary>A distance in whole units: rows, days, microseconds, the last digit of a decimal.</summary>
    public static Int128 WholeOf(Literal distance) => distance.Value switch
    {
        int number => number,
        long number => number,
        short number => number,
        sbyte number => number,
        Int128 number => number,
        _ => throw new QueryException("DATATYPE_MISMATCH", $"A frame can't reach as far as {distance}: give a whole number, or an interval for dates and times."),
    };

    private int Find<T>(T bound, Func<int, T> valueOf, bool isEnd) where T : IComparable<T>
    {
        var (low, high) = (_start, _end);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            var order = _isDescending ? Compare(bound, valueOf(middle)) : Compare(valueOf(middle), bound);
            if (order < 0 || (isEnd && order == 0)) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    // In SQL NaN is larger than all other numbers, in .NET smaller.
    private static int Compare<T>(T left, T right) where T : IComparable<T>
    {
        if (left is double one && right is double other && (double.IsNaN(one) || double.IsNaN(other))) return double.IsNaN(one).CompareTo(double.IsNaN(other));
        return left.CompareTo(right);
    }

    private Int128 WholeBound(int row, Literal distance)
    {
        var value = WholeValue(row);
        var offset = _isDescending ? -WholeOf(distance) : WholeOf(distance);
        var isDate = _column.Type.Kind == TypeKind.Date;
        if (distance.Type.Kind == TypeKind.YearMonthInterval)
        {
            if (isDate) return CivilDate.AddMonths((int)value, (int)offset);
            var time = (((long)value % MicrosecondsOfDay) + MicrosecondsOfDay) % MicrosecondsOfDay;
            var day = (int)(((long)value - time) / MicrosecondsOfDay);
            return ((Int128)CivilDate.AddMonths(day, (int)offset) * MicrosecondsOfDay) + time;
        }
        if (!isDate || distance.Type.Kind != TypeKind.DayTimeInterval) return value + offset;
        if (offset % MicrosecondsOfDay != 0)
            throw new QueryException("DATATYPE_MISMATCH", $"A frame over dates reaches whole days, not {distance}: cast the date to a timestamp.");
        return value + (offset / MicrosecondsOfDay);
    }

    private Int128 WholeValue(int row) => _column.Type.Physical switch
    {
        PhysicalType.Int8 => ((sbyte*)_column.Data)[row],
        PhysicalType.Int16 => ((short*)_column.Data)[row],
        PhysicalType.Int32 => ((int*)_column.Data)[row],
        PhysicalType.Int64 => ((long*)_column.Data)[row],
        _ => ((Int128*)_column.Data)[row],
    };

    private double Real(int row) => _column.Type.Physical == PhysicalType.Float32 ? ((float*)_column.Data)[row] : ((double*)_column.Data)[row];
}
