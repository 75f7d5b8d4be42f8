using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Parsing;

internal sealed partial class Parser
{
    private ExpressionSyntax Call(string name)
    {
        Expect("(");
        var isDistinct = Is("DISTINCT") && !Ahead(1).Is(")") && !Ahead(1).Is(",");
        if (isDistinct) _at++;
        else if (Is("ALL") && !Ahead(1).Is(")") && !Ahead(1).Is(",")) _at++;
        ValueList<ExpressionSyntax> arguments = Is(")") ? [] : List(() => Expression());
        Expect(")");
        if (!isDistinct && arguments.Count == 1 && TypeOfCall(name) is { } target) return new CastSyntax(arguments[0], target, IsTry: false);
        var call = new CallSyntax(name.ToLowerInvariant(), arguments) { IsDistinct = isDistinct };
        if (Accept("WITHIN", "GROUP"))
        {
            Expect("(");
            if (!Accept("ORDER", "BY")) throw Expected("ORDER BY");
            call = call with { Within = List(Order) };
            Expect(")");
        }
        if (Is("FILTER", "("))
        {
            _at += 2;
            Expect("WHERE");
            call = call with { Filter = Expression() };
            Expect(")");
        }
        if (Accept("IGNORE", "NULLS")) call = call with { IgnoresNulls = true };
        else Accept("RESPECT", "NULLS");
        if (Is("OVER") && (Ahead(1).Is("(") || Ahead(1).Kind is TokenKind.Word or TokenKind.Name))
        {
            var start = Take().Start;
            call = call with
            {
                Over = Is("(") ? WindowDefinition() : new WindowSyntax(Name("a window's name"), [], [], null) { Position = start },
            };
        }
        return call;
    }

    /// <summary>Casts that are written as calls: <c>date('2024-01-31')</c>.</summary>
    private static DataType? TypeOfCall(string name) => name.ToUpperInvariant() switch
    {
        "BOOLEAN" => DataType.Boolean,
        "TINYINT" => DataType.TinyInt,
        "SMALLINT" => DataType.SmallInt,
        "INT" => DataType.Int,
        "BIGINT" => DataType.BigInt,
        "FLOAT" => DataType.Float,
        "DOUBLE" => DataType.Double,
        "DECIMAL" => DataType.Decimal(10, 0),
        "STRING" => DataType.String,
        "BINARY" => DataType.Binary,
        "DATE" => DataType.Date,
        "TIMESTAMP" => DataType.Timestamp,
        _ => null,
    };

    private CastSyntax CastCall(bool isTry)
    {
        var start = Take().Start;
        Expect("(");
        var operand = Expression();
        Expect("AS");
        var target = TypeName();
        Expect(")");
        return new CastSyntax(operand, target, isTry) { Position = start };
    }

    private ExistsSyntax Exists()
    {
        var start = Take().Start;
        Expect("(");
        var query = Query();
        Expect(")");
        return new ExistsSyntax(query) { Position = start };
    }

    private ExtractSyntax Extract()
    {
        var start = Take().Start;
        Expect("(");
        var unit = Current.Kind == TokenKind.Text ? Take().Text : Name("a unit such as YEAR", anyWord: true);
        Expect("FROM");
        var source = Expression();
        Expect(")");
        return new ExtractSyntax(unit, source) { Position = start };
    }

    /// <summary>SUBSTRING(x FROM a FOR b), or with commas.</summary>
    private CallSyntax Substring()
    {
        var start = Current.Start;
        var name = Take().Text.ToLowerInvariant();
        Expect("(");
        List<ExpressionSyntax> arguments = [Expression()];
        var isWorded = Accept("FROM");
        if (isWorded || Accept(",")) arguments.Add(Expression());
        if (arguments.Count == 2 && (isWorded ? Accept("FOR") : Accept(","))) arguments.Add(Expression());
        Expect(")");
        return new CallSyntax(name, [.. arguments]) { Position = start };
    }

    /// <summary>TRIM([BOTH | LEADING | TRAILING] [characters] FROM x): trim, ltrim or rtrim of the characters and x.</summary>
    private CallSyntax Trim()
    {
        var start = Take().Start;
        Expect("(");
        var name = "trim";
        var side = Ahead(1).Is(")") || Ahead(1).Is(",") || Ahead(1).Is(".") ? "" : Current.Text.ToUpperInvariant();
        if (Current.Kind == TokenKind.Word && side is "BOTH" or "LEADING" or "TRAILING")
        {
            _at++;
            name = side == "LEADING" ? "ltrim" : side == "TRAILING" ? "rtrim" : "trim";
        }
        ValueList<ExpressionSyntax> arguments;
        if (Accept("FROM"))
        {
            arguments = [Expression()];
        }
        else
        {
            var first = Expression();
            if (Accept("FROM")) arguments = [first, Expression()];
            else if (Accept(",")) arguments = [first, Expression()];
            else arguments = [first];
        }
        Expect(")");
        return new CallSyntax(name, arguments) { Position = start };
    }

    /// <summary>OVERLAY(text PLACING replacement FROM start [FOR length]), or with commas.</summary>
    private CallSyntax Overlay()
    {
        var start = Take().Start;
        Expect("(");
        List<ExpressionSyntax> arguments = [Expression()];
        if (Accept("PLACING"))
        {
            arguments.Add(Expression());
            Expect("FROM");
            arguments.Add(Expression());
            if (Accept("FOR")) arguments.Add(Expression());
        }
        else
        {
            while (Accept(",")) arguments.Add(Expression());
        }
        Expect(")");
        return new CallSyntax("overlay", [.. arguments]) { Position = start };
    }

    /// <summary>POSITION(part IN text), or with commas.</summary>
    private CallSyntax Position()
    {
        var start = Take().Start;
        Expect("(");
        List<ExpressionSyntax> arguments = [Expression(Predicate)];
        if (Accept("IN")) arguments.Add(Expression());
        else while (Accept(",")) arguments.Add(Expression());
        Expect(")");
        return new CallSyntax("position", [.. arguments]) { Position = start };
    }

    /// <summary>DATEADD(DAY, 1, d) and its like, whose first argument is a word: it becomes a string.</summary>
    private CallSyntax UnitCall()
    {
        var start = Current.Start;
        var name = Take().Text.ToLowerInvariant();
        Expect("(");
        var unit = Take();
        List<ExpressionSyntax> arguments = [];
        while (Accept(",")) arguments.Add(Expression());
        Expect(")");
        var first = arguments.Count == 1
            ? (ExpressionSyntax)new NameSyntax(unit.Text) { Position = unit.Start }
            : new LiteralSyntax(new Literal(unit.Text.ToUpperInvariant(), DataType.String)) { Position = unit.Start };
        if (arguments.Count == 2) name = name.EndsWith("diff", StringComparison.Ordinal) ? "timestampdiff" : "timestampadd";
        return new CallSyntax(name, [first, .. arguments]) { Position = start };
    }
}
