using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Rows;

namespace Dataflow.Sql.Physical;

/// <summary>Which rows of a partition a row's frame holds.</summary>
internal sealed unsafe class FrameBounds
{
    private const long MicrosecondsOfDay = 86_400_000_000;

    private readonly WindowFrame _frame;
    private readonly int _start;
    private readonly int _end;
    private readonly PeerGroups _peers;
    private readonly RowStore _rows;
    private readonly RowOrderKey[] _orders;
    private readonly Int128 _startOffset;
    private readonly Int128 _endOffset;
    private readonly bool _isByValue;
    private int _valuesStart;
    private int _valuesEnd;

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
        _rows = rows;
        _orders = orders;
        var type = frame.IsRange && orders.Length > 0 ? rows[orders[0].Column].Type : null;
        _startOffset = OffsetOf(frame.Start, type);
        _endOffset = OffsetOf(frame.End, type);
        _isByValue = frame.IsRange && ((frame.Start is not null && _startOffset != 0) || (frame.End is not null && _endOffset != 0));
        if (!_isByValue) return;
        var column = rows[orders[0].Column];
        if (column.Type.Physical is PhysicalType.Float32 or PhysicalType.Float64 or PhysicalType.View or PhysicalType.Bit)
            throw new QueryException("UNSUPPORTED_FEATURE", $"RANGE frames with offsets can't be computed for an order of type {column.Type} yet: order by a whole number, a decimal, a date or a time.");

        // Values without nulls are together: nulls are first or last.
        (_valuesStart, _valuesEnd) = (start, end);
        while (_valuesStart < end && column.IsNull(_valuesStart)) _valuesStart++;
        while (_valuesEnd > _valuesStart && column.IsNull(_valuesEnd - 1)) _valuesEnd--;
    }

    /// <summary>First row, and the row after the last; empty if they are equal.</summary>
    public (int First, int End) Of(int row)
    {
        var first = _frame.Start is null ? _start : Bound(row, _startOffset, isEnd: false);
        var end = _frame.End is null ? _end : Bound(row, _endOffset, isEnd: true);
        return first >= end ? (first, first) : (first, end);
    }

    private int Bound(int row, Int128 offset, bool isEnd)
    {
        if (!_frame.IsRange) return (int)Int128.Clamp(row + offset + (isEnd ? 1 : 0), _start, _end);
        if (offset == 0 || row < _valuesStart || row >= _valuesEnd) return isEnd ? _peers.EndOf(row) : _peers.FirstOf(row);

        // The first row whose value is at the bound, or behind it; for the end, strictly behind it.
        var isDescending = _orders[0].Descending;
        var bound = isDescending ? ValueOf(row) - offset : ValueOf(row) + offset;
        var (low, high) = (_valuesStart, _valuesEnd);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            var order = isDescending ? bound.CompareTo(ValueOf(middle)) : ValueOf(middle).CompareTo(bound);
            if (order < 0 || (isEnd && order == 0)) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private Int128 ValueOf(int row)
    {
        var column = _rows[_orders[0].Column];
        return column.Type.Physical switch
        {
            PhysicalType.Int8 => ((sbyte*)column.Data)[row],
            PhysicalType.Int16 => ((short*)column.Data)[row],
            PhysicalType.Int32 => ((int*)column.Data)[row],
            PhysicalType.Int64 => ((long*)column.Data)[row],
            _ => ((Int128*)column.Data)[row],
        };
    }

    private static Int128 OffsetOf(Literal? offset, DataType? type) => offset?.Value switch
    {
        null => 0,
        long days when offset.Type.Kind == TypeKind.DayTimeInterval && type?.Kind == TypeKind.Date && days % MicrosecondsOfDay == 0 => days / MicrosecondsOfDay,
        long when offset.Type.Kind == TypeKind.DayTimeInterval && type?.Kind == TypeKind.Date => throw Unsupported(offset),
        _ when offset.Type.Kind == TypeKind.YearMonthInterval => throw Unsupported(offset),
        int number => number,
        long number => number,
        short number => number,
        sbyte number => number,
        Int128 number => number,
        _ => throw Unsupported(offset),
    };

    private static QueryException Unsupported(Literal offset) =>
        new("UNSUPPORTED_FEATURE", $"A frame can't reach as far as {offset} yet: give a whole number, or an interval of whole days for dates.");
}
