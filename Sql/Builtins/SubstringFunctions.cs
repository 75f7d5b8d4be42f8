using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Parts of texts, counted in characters from 1.</summary>
internal static class SubstringFunctions
{
    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new RowFunction("substring", "substring(text, start[, length]), SUBSTRING(text FROM start [FOR length])",
            "A part of a text from a character, counted from 1 or, if negative, from the end.",
            [DataType.String, DataType.Int, DataType.Int], DataType.String, Substring) { Also = ["substr", "mid"], Optional = 1 });
        registry.Add(new RowFunction("left", "left(text, length)", "The first characters of a text.", [DataType.String, DataType.Int], DataType.String,
            static row => row.ReturnPart(0, 0, Utf8.OffsetOf(row.Text(0), row.Int(1)))));
        registry.Add(new RowFunction("right", "right(text, length)", "The last characters of a text.", [DataType.String, DataType.Int], DataType.String, static row =>
        {
            var text = row.Text(0);
            var start = row.Int(1) <= 0 ? text.Length : Utf8.OffsetOf(text, Utf8.Count(text) - row.Int(1));
            row.ReturnPart(0, start, text.Length - start);
        }));
        registry.Add(new RowFunction("substring_index", "substring_index(text, delimiter, count)",
            "What stands before the delimiter's occurrence of that number, or behind it, counted from the end, if negative.",
            [DataType.String, DataType.String, DataType.Int], DataType.String, SubstringIndex));
        registry.Add(new RowFunction("split_part", "split_part(text, delimiter, number)",
            "One of the parts between delimiters, counted from 1 or, if negative, from the end; empty if there are fewer.",
            [DataType.String, DataType.String, DataType.Int], DataType.String, SplitPart) { Fails = true });
    }

    private static void Substring(RowEvaluator row)
    {
        var text = row.Text(0);
        long start = row.Int(1);
        long length = row.Count > 2 ? row.Int(2) : int.MaxValue;
        // 0 is taken as 1; from the end the start may lie before the text, which shortens the part.
        start = start > 0 ? start - 1 : start < 0 ? start + Utf8.Count(text) : 0;
        var end = Math.Max(0, start + length);
        start = Math.Max(0, start);
        if (length <= 0 || end <= start)
        {
            row.ReturnPart(0, 0, 0);
            return;
        }
        var first = Utf8.OffsetOf(text, (int)Math.Min(start, int.MaxValue));
        var last = Utf8.OffsetOf(text[first..], (int)Math.Min(end - start, int.MaxValue));
        row.ReturnPart(0, first, last);
    }

    private static void SubstringIndex(RowEvaluator row)
    {
        var text = row.Text(0);
        var delimiter = row.Text(1);
        var count = row.Int(2);
        if (delimiter.Length == 0 || count == 0)
        {
            row.ReturnPart(0, 0, 0);
            return;
        }
        if (count > 0)
        {
            var at = -delimiter.Length;
            for (; count > 0; count--)
            {
                var from = at < 0 ? 0 : at + 1;
                var next = text[from..].IndexOf(delimiter);
                if (next < 0)
                {
                    row.ReturnPart(0, 0, text.Length);
                    return;
                }
                at = from + next;
            }
            row.ReturnPart(0, 0, at);
            return;
        }
        var end = text.Length;
        for (; count < 0; count++)
        {
            var before = end <= 0 ? -1 : text[..Math.Min(text.Length, end)].LastIndexOf(delimiter);
            if (before < 0)
            {
                row.ReturnPart(0, 0, text.Length);
                return;
            }
            end = before + delimiter.Length - 1;
        }
        row.ReturnPart(0, end + 1, text.Length - end - 1);
    }

    private static void SplitPart(RowEvaluator row)
    {
        var text = row.Text(0);
        var delimiter = row.Text(1);
        var number = row.Int(2);
        if (number == 0) throw row.Error("INVALID_INDEX_OF_ZERO", "split_part counts parts from 1, or from -1 at the end: 0 is no part.");
        if (delimiter.Length == 0)
        {
            row.ReturnPart(0, 0, number is 1 or -1 ? text.Length : 0);
            return;
        }
        var parts = 1;
        for (var rest = text; rest.IndexOf(delimiter) is >= 0 and var at; rest = rest[(at + delimiter.Length)..]) parts++;
        var wanted = number > 0 ? number - 1 : parts + number;
        if (wanted < 0 || wanted >= parts)
        {
            row.ReturnPart(0, 0, 0);
            return;
        }
        var start = 0;
        for (; wanted > 0; wanted--) start += text[start..].IndexOf(delimiter) + delimiter.Length;
        var length = text[start..].IndexOf(delimiter);
        row.ReturnPart(0, start, length < 0 ? text.Length - start : length);
    }
}
