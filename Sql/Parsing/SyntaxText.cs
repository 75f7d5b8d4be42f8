using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Parsing;

/// <summary>The names that Spark gives to columns without alias: <c>count(1)</c>, <c>(a + b)</c>, <c>CAST(x AS INT)</c>.</summary>
internal sealed class SyntaxText
{
    // Names are for people: beyond this depth nobody reads them.
    private const int MaxDepth = 200;

    private readonly Func<WindowSyntax, WindowSyntax> _window;

    private SyntaxText(Func<WindowSyntax, WindowSyntax> window) => _window = window;

    /// <summary>The name of a column that holds an expression.</summary>
    /// <param name="expression">The expression.</param>
    /// <param name="window">Gives a window what it takes from the WINDOW clause; null to show its name.</param>
    public static string NameOf(ExpressionSyntax expression, Func<WindowSyntax, WindowSyntax>? window = null) =>
        new SyntaxText(window ?? (same => same)).Text(expression, 0);

    private string Text(ExpressionSyntax expression, int depth)
    {
        if (++depth > MaxDepth) return "...";
        return expression switch
        {
            NameSyntax name => name.Parts[^1],
            BoundSyntax { Value: ColumnReference column } => column.Name,
            BoundSyntax { Value: Literal literal } => Literal(literal),
            BoundSyntax bound => bound.Value.ToString(),
            FrameColumnSyntax column => column.Column.Name,
            LiteralSyntax literal => literal.Text ?? Literal(literal.Value),
            TypedTextSyntax typed => $"{typed.Target.SqlName.ToUpperInvariant()} '{typed.Text}'",
            ParameterSyntax parameter => parameter.Name is null ? "?" : $":{parameter.Name}",
            StarSyntax star => star.Qualifier.Count == 0 ? "*" : string.Join('.', star.Qualifier) + ".*",
            OperatorSyntax operation => Operation(operation, depth),
            CallSyntax call => Call(call, depth),
            FunctionSyntax call => $"{call.Function.Name}({List(call.Arguments, depth)})",
            ExtractSyntax extract => $"extract({extract.Unit} FROM {Text(extract.Source, depth)})",
            CastSyntax cast => $"{(cast.IsTry ? "TRY_CAST" : "CAST")}({Text(cast.Operand, depth)} AS {cast.Target.SqlName.ToUpperInvariant()})",
            CaseSyntax choice => Case(choice, depth),
            BetweenSyntax between => $"between({List([between.Operand, between.Low, between.High], depth)})",
            LikeSyntax like => Like(like, depth),
            InSyntax among => $"({Text(among.Operand, depth)} IN ({List(among.Values, depth)}))",
            InQuerySyntax among => $"({Text(among.Operand, depth)} IN (listquery()))",
            ExistsSyntax => "exists()",
            ScalarQuerySyntax => "scalarsubquery()",
            RowSyntax row => $"({List(row.Values, depth)})",
            _ => expression.ToString(),
        };
    }

    private string List(IEnumerable<ExpressionSyntax> items, int depth) => string.Join(", ", items.Select(item => Text(item, depth)));

    /// <summary>A literal as Spark names it: strings without quotes, numbers without suffix.</summary>
    public static string Literal(Literal literal) => literal.Value switch
    {
        string text => text,
        double value => Casts.NumberText.Of(value),
        float value => Casts.NumberText.Of(value),
        long value when literal.Type == DataType.BigInt => value.ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => LiteralText.Of(literal),
    };

    private string Operation(OperatorSyntax operation, int depth)
    {
        var first = Text(operation.Operands[0], depth);
        if (operation.Operands.Count == 1)
        {
            return operation.Name switch
            {
                "not" => $"(NOT {first})",
                "negative" => $"(- {first})",
                "isnull" => $"({first} IS NULL)",
                "isnotnull" => $"({first} IS NOT NULL)",
                _ => $"{operation.Name}{first}",
            };
        }
        var second = Text(operation.Operands[1], depth);
        // As Spark, where <> is NOT of =.
        if (operation.Name == "<>") return $"(NOT ({first} = {second}))";
        return $"({first} {(operation.Name is "and" or "or" ? operation.Name.ToUpperInvariant() : operation.Name)} {second})";
    }

    private string Call(CallSyntax call, int depth)
    {
        var arguments = call.Arguments is [StarSyntax { Qualifier.Count: 0 }] ? "1" : List(call.Arguments, depth);
        var text = $"{call.Name}({(call.IsDistinct ? "DISTINCT " : "")}{arguments})";
        if (call is { Name: "trim" or "ltrim" or "rtrim", Arguments: [var characters, var trimmed] })
        {
            var side = call.Name == "trim" ? "BOTH" : call.Name == "ltrim" ? "LEADING" : "TRAILING";
            text = $"TRIM({side} {Text(characters, depth)} FROM {Text(trimmed, depth)})";
        }
        if (call.Name == "if" && call.Arguments.Count == 3) text = $"(IF({arguments}))";
        if (call.Name == "positive") text = $"(+ {arguments})";
        if (call.Within.Count > 0) text += $" WITHIN GROUP (ORDER BY {string.Join(", ", call.Within.Select(order => Text(order.Key, depth) + (order.IsDescending ? " DESC" : "")))})";
        if (call.Filter is not null) text += $" FILTER (WHERE {Text(call.Filter, depth)})";
        if (call.IgnoresNulls) text += " IGNORE NULLS";
        return call.Over is { } window ? $"{text} OVER {Window(window, depth)}" : text;
    }

    private string Window(WindowSyntax named, int depth)
    {
        var window = _window(named);
        if (window is { Name: { } name, Partitions.Count: 0, Orders.Count: 0, Frame: null }) return name;
        List<string> parts = [];
        if (window.Name is not null) parts.Add(window.Name);
        if (window.Partitions.Count > 0) parts.Add($"PARTITION BY {List(window.Partitions, depth)}");
        if (window.Orders.Count > 0) parts.Add($"ORDER BY {string.Join(", ", window.Orders.Select(order => Order(order, depth)))}");
        parts.Add(window.Frame is { } frame
            ? $"{(frame.IsRange ? "RANGE" : "ROWS")} BETWEEN {End(frame.Start, depth)} AND {End(frame.End, depth)}"
            : window.Orders.Count > 0 ? "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW" : "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING");
        return $"({string.Join(' ', parts)})";
    }

    private string Order(OrderSyntax order, int depth) =>
        $"{Text(order.Key, depth)} {(order.IsDescending ? "DESC" : "ASC")} NULLS {(order.NullsFirst ?? !order.IsDescending ? "FIRST" : "LAST")}";

    private string End(FrameEndSyntax end, int depth) => end.IsCurrentRow
        ? "CURRENT ROW"
        : $"{(end.Offset is null ? "UNBOUNDED" : Text(end.Offset, depth))} {(end.IsFollowing ? "FOLLOWING" : "PRECEDING")}";

    private string Case(CaseSyntax choice, int depth)
    {
        var text = "CASE";
        for (var i = 0; i < choice.Branches.Count; i += 2)
        {
            var condition = Text(choice.Branches[i], depth);
            if (choice.Operand is not null) condition = $"({Text(choice.Operand, depth)} = {condition})";
            text += $" WHEN {condition} THEN {Text(choice.Branches[i + 1], depth)}";
        }
        return text + (choice.Else is null ? " END" : $" ELSE {Text(choice.Else, depth)} END");
    }

    private string Like(LikeSyntax like, int depth)
    {
        var operand = Text(like.Operand, depth);
        if (like.Name == "rlike") return $"RLIKE({operand}, {List(like.Patterns, depth)})";
        if (like.Patterns.Count > 1) return $"{like.Name}{(like.NeedsAll ? "all" : "any")}({operand}, {List(like.Patterns, depth)})";
        var pattern = Text(like.Patterns[0], depth) + (like.Escape is null ? "" : $" ESCAPE '{like.Escape}'");
        return like.Name == "ilike" ? $"ilike({operand}, {pattern})" : $"{operand} LIKE {pattern}";
    }
}
