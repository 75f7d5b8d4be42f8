using System.Numerics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>
/// LIKE with a pattern that is the same for all rows. Where the pattern begins with <c>%</c>, texts that lie one behind the other, as those of a page
/// do, are searched at once for the pattern's first words, and only rows with a hit are looked at by themselves.
/// </summary>
internal sealed unsafe class LikeEvaluator(LikePattern pattern, Evaluator argument, EvaluatorContext context)
    : StrictEvaluator(DataType.Boolean, [argument], context, -1)
{
    // Gaps hold lengths and short texts. Bytes so near to mapped ones on both sides are mapped too.
    private const int WidestGap = 64;
    private const int ShortestRun = 16;
    private const int LongestRun = 1 << 29;

    protected override bool TakesDictionaries => true;

    protected override ColumnVector Compute(ReadOnlySpan<ColumnVector> arguments)
    {
        var found = (ulong*)Result.Data;
        Bits.Zero(found, Rows);
        var vector = arguments[0];
        var alive = Live == null ? Rows : Bits.Count(Live, Rows);
        var values = new Operand<StringView>(vector);
        if (vector.Form == VectorForm.Flat && pattern.FirstAnywhere.Length > 0 && alive > Rows / 4) Runs(values, found);
        else if (pattern.Prefix.Length > 0) Prefixes(values, found);
        else OneByOne(values, 0, Rows, found);
        return Result.Set(Rows, HasNulls);
    }

    private void OneByOne(Operand<StringView> values, int first, int end, ulong* found)
    {
        for (var row = first; row < end;)
        {
            var word = row >> 6;
            var last = Math.Min(end, (word << 6) + 64);
            var live = Bits.Word(Live, word, Rows) & (ulong.MaxValue << (row & 63));
            if ((last & 63) != 0) live &= (1UL << (last & 63)) - 1;
            for (; live != 0; live &= live - 1)
            {
                var each = (word << 6) + BitOperations.TrailingZeroCount(live);
                if (pattern.Matches(StringView.BytesOf(values.At(each)))) Bits.Set(found, each);
            }
            row = last;
        }
    }

    // The first four bytes stand in the view: most rows are told by them alone.
    private void Prefixes(Operand<StringView> values, ulong* found)
    {
        var prefix = pattern.Prefix;
        var (head, mask) = (0u, 0u);
        for (var i = 0; i < Math.Min(4, prefix.Length); i++)
        {
            head |= (uint)prefix[i] << (8 * i);
            mask |= 0xFFu << (8 * i);
        }
        var isAll = pattern.IsPrefixOnly && prefix.Length <= 4;
        for (var word = 0; word < Bits.Words(Rows); word++)
        {
            var bits = 0UL;
            for (var live = Bits.Word(Live, word, Rows); live != 0; live &= live - 1)
            {
                var bit = BitOperations.TrailingZeroCount(live);
                var view = values.At((word << 6) + bit);
                if (((view->Prefix ^ head) & mask) != 0 || view->Length < prefix.Length) continue;
                if (isAll || pattern.Matches(StringView.BytesOf(view))) bits |= 1UL << bit;
            }
            found[word] = bits;
        }
    }

    private void Runs(Operand<StringView> values, ulong* found)
    {
        var views = values.At(0);
        for (var row = 0; row < Rows;)
        {
            // Short texts lie in their views; they are met by themselves.
            var first = row;
            byte* end = null;
            byte* start = null;
            var count = 0;
            for (; row < Rows; row++)
            {
                if (views[row].IsInline) continue;
                var at = views[row].Pointer;
                if (end != null && (at < end || at > end + WidestGap || at - start > LongestRun)) break;
                if (start == null) start = at;
                end = at + views[row].Length;
                count++;
            }
            if (count < ShortestRun)
            {
                OneByOne(values, first, row, found);
                continue;
            }
            Search(views, first, row, start, end, found);
        }
    }

    private void Search(StringView* views, int first, int end, byte* start, byte* stop, ulong* found)
    {
        var words = pattern.FirstAnywhere;
        var row = first;
        for (; row < end && views[row].IsInline; row++) Short(views, row, found);
        while (row < end)
        {
            var at = new ReadOnlySpan<byte>(start, (int)(stop - start)).IndexOf(words);
            var hit = at < 0 ? stop : start + at;
            // Rows before the hit have none.
            while (row < end && (views[row].IsInline || views[row].Pointer + views[row].Length <= hit))
            {
                if (views[row].IsInline) Short(views, row, found);
                row++;
            }
            if (row >= end) return;
            var text = views[row].Pointer;
            var length = views[row].Length;
            // Between two texts, or across the end of one: no hit of this row.
            if (hit < text || hit + words.Length > text + length)
            {
                start = hit + 1;
                continue;
            }
            if ((Live == null || Bits.Get(Live, row)) && pattern.Matches(new ReadOnlySpan<byte>(text, length))) Bits.Set(found, row);
            start = text + length;
            row++;
        }
    }

    private void Short(StringView* views, int row, ulong* found)
    {
        if ((Live == null || Bits.Get(Live, row)) && pattern.Matches(StringView.BytesOf(views + row))) Bits.Set(found, row);
    }
}
