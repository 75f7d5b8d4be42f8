using System.Numerics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>Texts one behind the other: with a separator nulls are left out, without one they make the result null.</summary>
internal sealed unsafe class ConcatWithSeparatorEvaluator(Evaluator[] arguments, EvaluatorContext context) : Evaluator
{
    private readonly FlatVector _result = new(context.Arena, DataType.String);
    private readonly TextHeap _heap = new(context.Arena);
    private readonly ColumnVector[] _given = new ColumnVector[arguments.Length];

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        var rows = batch.Rows;
        for (var i = 0; i < arguments.Length; i++) _given[i] = arguments[i].Evaluate(batch);
        _heap.Clear();
        var to = (StringView*)_result.Data;
        new Span<byte>(to, rows * sizeof(StringView)).Clear();
        Bits.Copy(_result.Validity, batch.Mask, rows);
        var separator = _given[0];
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            for (var live = Bits.Word(batch.Mask, word, rows); live != 0; live &= live - 1)
            {
                var row = (word << 6) + BitOperations.TrailingZeroCount(live);
                if (separator.IsNull(row)) Bits.Clear(_result.Validity, row);
                else to[row] = Join(row, StringView.BytesOf((StringView*)separator.ValueAt(row)));
            }
        }
        return _result.Set(rows, separator.Validity != null);
    }

    private StringView Join(int row, ReadOnlySpan<byte> separator)
    {
        var (length, parts) = (0, 0);
        for (var i = 1; i < _given.Length; i++)
        {
            if (_given[i].IsNull(row)) continue;
            parts++;
            length = checked(length + ((StringView*)_given[i].ValueAt(row))->Length);
        }
        length = checked(length + (Math.Max(0, parts - 1) * separator.Length));
        var bytes = _heap.Allocate(length);
        var room = new Span<byte>(bytes, length);
        var isFirst = true;
        for (var i = 1; i < _given.Length; i++)
        {
            if (_given[i].IsNull(row)) continue;
            if (!isFirst)
            {
                separator.CopyTo(room);
                room = room[separator.Length..];
            }
            isFirst = false;
            var part = StringView.BytesOf((StringView*)_given[i].ValueAt(row));
            part.CopyTo(room);
            room = room[part.Length..];
        }
        return StringView.Of(bytes, length);
    }
}
