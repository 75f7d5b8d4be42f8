using System.Text;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Lengths, places and likenesses of texts.</summary>
internal static class TextMeasures
{
    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new LengthFunction());
        registry.Add(new RowFunction("octet_length", "octet_length(text)", "How many bytes the text has.", [DataType.String], DataType.Int, static row => row.Return(row.Text(0).Length)));
        registry.Add(new RowFunction("bit_length", "bit_length(text)", "How many bits the text has.", [DataType.String], DataType.Int, static row => row.Return(row.Text(0).Length * 8)));
        registry.Add(new RowFunction("ascii", "ascii(text)", "The code of the first character; 0 of an empty text.", [DataType.String], DataType.Int, static row =>
        {
            Rune.DecodeFromUtf8(row.Text(0), out var rune, out var length);
            row.Return(length == 0 ? 0 : rune.Value);
        }));
        registry.Add(new RowFunction("instr", "instr(text, part)", "The place of the part in the text, counted in characters from 1; 0 if it is not there.",
            [DataType.String, DataType.String], DataType.Int, static row => row.Return(PlaceOf(row.Text(1), row.Text(0), 1))));
        registry.Add(new RowFunction("locate", "locate(part, text[, start]), POSITION(part IN text)", "The place of the part in the text, from a character on; 0 if it is not there.",
            [DataType.String, DataType.String, DataType.Int], DataType.Int,
            static row => row.Return(PlaceOf(row.Text(0), row.Text(1), row.Count > 2 ? row.Int(2) : 1))) { Also = ["position", "charindex"], Optional = 1 });
        registry.Add(new RowFunction("find_in_set", "find_in_set(text, list)", "Which of the comma-separated texts it is, counted from 1; 0 if none.",
            [DataType.String, DataType.String], DataType.Int, FindInSet));
        registry.Add(new RowFunction("startswith", "startswith(text, part)", "Whether the text begins with the part.", [DataType.String, DataType.String], DataType.Boolean,
            static row => row.Return(row.Text(0).StartsWith(row.Text(1)))));
        registry.Add(new RowFunction("endswith", "endswith(text, part)", "Whether the text ends with the part.", [DataType.String, DataType.String], DataType.Boolean,
            static row => row.Return(row.Text(0).EndsWith(row.Text(1)))));
        registry.Add(new RowFunction("contains", "contains(text, part)", "Whether the part is somewhere in the text.", [DataType.String, DataType.String], DataType.Boolean,
            static row => row.Return(row.Text(0).IndexOf(row.Text(1)) >= 0)));
        registry.Add(new RowFunction("levenshtein", "levenshtein(a, b)", "How many characters must be inserted, deleted or replaced to make one text the other.",
            [DataType.String, DataType.String], DataType.Int, Levenshtein));
    }

    private static int PlaceOf(ReadOnlySpan<byte> part, ReadOnlySpan<byte> text, int start)
    {
        if (start < 1) return 0;
        var from = Utf8.OffsetOf(text, start - 1);
        var found = text[from..].IndexOf(part);
        if (found < 0) return 0;
        return start + Utf8.Count(text.Slice(from, found));
    }

    private static void FindInSet(RowEvaluator row)
    {
        var text = row.Text(0);
        var list = row.Text(1);
        var place = 0;
        if (!text.Contains((byte)','))
        {
            foreach (var range in list.Split((byte)','))
            {
                place++;
                if (!list[range].SequenceEqual(text)) continue;
                row.Return(place);
                return;
            }
        }
        row.Return(0);
    }

    private static void Levenshtein(RowEvaluator row)
    {
        var a = Encoding.UTF8.GetString(row.Text(0)).EnumerateRunes().ToArray();
        var b = Encoding.UTF8.GetString(row.Text(1)).EnumerateRunes().ToArray();
        var costs = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = costs[0];
            costs[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = costs[j];
                costs[j] = Math.Min(Math.Min(costs[j], costs[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        row.Return(costs[b.Length]);
    }
}

/// <summary><c>length</c>: characters of text, bytes of binary.</summary>
internal sealed class LengthFunction() : ScalarFunction("length")
{
    public override ValueList<string> Aliases => ["len", "char_length", "character_length"];

    public override string Usage => "length(text or bytes)";

    public override string Summary => "How many characters the text has, or how many bytes there are.";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 1) return null;
        if (arguments[0].Type.Kind == TypeKind.Binary) return new Signature([DataType.Binary], DataType.Int);
        return ImplicitCasts.Allows(arguments[0].Type, DataType.String) ? new Signature([DataType.String], DataType.Int) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new RowEvaluator(
        call.Arguments[0].Type.Kind == TypeKind.Binary ? static row => row.Return(row.Text(0).Length) : static row => row.Return(Utf8.Count(row.Text(0))),
        DataType.Int, arguments, context, call.Position.Start);
}
