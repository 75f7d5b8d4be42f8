using System.Text;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>like</c> and <c>ilike</c>, with an escape character of choice.</summary>
internal sealed class LikeFunction(string name) : ScalarFunction(name)
{
    private bool IgnoresCase => Name == "ilike";

    public override string Usage => $"text {Name.ToUpperInvariant()} pattern [ESCAPE character]";

    public override string Summary =>
        $"Whether the text fits the pattern, in which % is any text and _ any one character{(IgnoresCase ? "; upper and lower case are the same" : "")}.";

    public override bool MayFail => true;

    public override string Print(ValueList<Expression> arguments) =>
        $"({arguments[0]} {Name.ToUpperInvariant()} {arguments[1]}{(arguments.Count == 3 ? $" ESCAPE {arguments[2]}" : "")})";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count is not (2 or 3)) return null;
        return arguments.All(argument => ImplicitCasts.Allows(argument.Type, DataType.String))
            ? new Signature(arguments.ConvertAll(_ => DataType.String), DataType.Boolean)
            : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        // A pattern that is wrong is an error only if a row is met.
        if (!IgnoresCase && call.Arguments.Count == 2 && call.Arguments[1] is Literal { Value: string text } && LikePattern.Parse(Encoding.UTF8.GetBytes(text), (byte)'\\') is { } pattern)
            return new LikeEvaluator(pattern, arguments[0], context);
        return new RowEvaluator(IgnoresCase ? Ignoring : Exact, DataType.Boolean, arguments, context, call.Position.Start);
    }

    private static void Exact(RowEvaluator row) => row.Return(PatternOf(row, false).Matches(row.Text(0)));

    private static void Ignoring(RowEvaluator row) => row.Return(PatternOf(row, true).Matches(TextCase.Lower(row.Text(0))));

    private static LikePattern PatternOf(RowEvaluator row, bool lower)
    {
        var text = row.Text(1);
        // Seldom another than for the row before.
        if (row.State is Known known && text.SequenceEqual(known.Text) && (row.Count == 2 || row.Text(2).SequenceEqual(known.Escape))) return known.Pattern;
        var escape = (byte)'\\';
        if (row.Count == 3)
        {
            var given = row.Text(2);
            if (given.Length != 1) throw row.Error("INVALID_ESCAPE_CHAR", $"'{Encoding.UTF8.GetString(given)}' is no escape character: give one ASCII character.");
            escape = given[0];
        }
        var pattern = LikePattern.Parse(lower ? TextCase.Lower(text) : text, escape) ?? throw row.Error("INVALID_FORMAT.ESC_IN_THE_MIDDLE",
            $"In the pattern '{Encoding.UTF8.GetString(text)}' the escape character '{(char)escape}' must stand before '%', '_' or itself.");
        row.State = new Known(pattern, text.ToArray(), row.Count == 3 ? row.Text(2).ToArray() : []);
        return pattern;
    }

    private sealed record Known(LikePattern Pattern, byte[] Text, byte[] Escape);
}

/// <summary>Text in lower or upper case.</summary>
internal static class TextCase
{
    public static ReadOnlySpan<byte> Lower(ReadOnlySpan<byte> text)
    {
        var lower = new byte[text.Length];
        if (Ascii.ToLower(text, lower, out _) == System.Buffers.OperationStatus.Done) return lower;
        return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text).ToLowerInvariant());
    }
}
