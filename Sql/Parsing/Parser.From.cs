using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Parsing;

internal sealed partial class Parser
{
    /// <summary>What stands in FROM: joins, comma between; a comma is a cross join that binds less than JOIN.</summary>
    private SourceSyntax Sources()
    {
        var source = Joined();
        while (Is(","))
        {
            var start = Take().Start;
            source = new JoinSyntax(JoinKind.Inner, source, Joined()) { Position = start };
        }
        return source;
    }

    private SourceSyntax Joined() => Joins(Source());

    private SourceSyntax Joins(SourceSyntax left)
    {
        var joins = 0;
        while (TryJoinKind(out var kind, out var isNatural, out var isCross, out var start))
        {
            if (++joins > MaxDepth) throw Wrong($"More than {MaxDepth} joins in one FROM.", start);
            var join = new JoinSyntax(kind, left, Source()) { Position = start, IsNatural = isNatural };
            if (isNatural || isCross)
            {
                left = join;
            }
            else if (Accept("ON"))
            {
                left = join with { On = Expression() };
            }
            else if (Accept("USING"))
            {
                left = join with { Using = NamesInParentheses() };
            }
            else
            {
                // As Spark: JOIN without a condition is a cross join.
                left = join;
            }
        }
        return left;
    }

    private bool TryJoinKind(out JoinKind kind, out bool isNatural, out bool isCross, out int start)
    {
        kind = JoinKind.Inner;
        isCross = false;
        start = Current.Start;
        isNatural = Accept("NATURAL");
        if (Accept("JOIN")) return true;
        if (Accept("INNER"))
        {
            Expect("JOIN");
            return true;
        }
        if (!isNatural && Accept("CROSS"))
        {
            Expect("JOIN");
            isCross = true;
            return true;
        }
        if (Is("LEFT") || Is("RIGHT") || Is("FULL") || Is("SEMI") || Is("ANTI"))
        {
            var word = Take();
            kind = word.Text.ToUpperInvariant() switch
            {
                "RIGHT" => JoinKind.Right,
                "FULL" => JoinKind.Full,
                "SEMI" => JoinKind.Semi,
                "ANTI" => JoinKind.Anti,
                _ => JoinKind.Left,
            };
            if (word.Is("LEFT") && Accept("SEMI")) kind = JoinKind.Semi;
            else if (word.Is("LEFT") && Accept("ANTI")) kind = JoinKind.Anti;
            else Accept("OUTER");
            Expect("JOIN");
            return true;
        }
        return isNatural ? throw Expected("JOIN") : false;
    }

    private SourceSyntax Source()
    {
        Enter();
        var source = Turned(SourceWithAlias());
        _depth--;
        return source;
    }

    /// <summary>What stands behind a source: PIVOT and UNPIVOT, each with an alias of its own.</summary>
    private SourceSyntax Turned(SourceSyntax source)
    {
        while (true)
        {
            if (Is("PIVOT", "(")) source = Sampled(Alias(Pivot(source)));
            else if (Is("UNPIVOT") && (Ahead(1).Is("(") || Ahead(1).Is("INCLUDE") || Ahead(1).Is("EXCLUDE"))) source = Sampled(Alias(Unpivot(source)));
            else if (Is("LATERAL", "VIEW")) throw Wrong("LATERAL VIEW is not supported: there are no arrays and maps to take apart yet.", Current.Start);
            else return source;
        }
    }

    private SourceSyntax SourceWithAlias()
    {
        var start = Current.Start;
        if (Is("LATERAL", "("))
        {
            _at++;
            return Alias(InParentheses()) is DerivedSyntax query
                ? query with { IsLateral = true, Position = start }
                : throw Wrong("Behind LATERAL stands a query in parentheses.", start);
        }
        if (Is("(")) return Sampled(Alias(Sampled(InParentheses()))) with { Position = start };
        if (Is("VALUES") && !Ahead(1).Is(".") && !Ahead(1).Is("AS")) return Alias(InlineTable());
        var name = NameParts("a table, a query in parentheses or VALUES");
        if (name.Count == 1 && Accept("("))
        {
            ValueList<ExpressionSyntax> arguments = Is(")") ? [] : List(() => Expression());
            Expect(")");
            return Alias(new TableFunctionSyntax(name[0], arguments) { Position = start });
        }
        return Sampled(Alias(Sampled(new TableSyntax(name) { Position = start })));
    }

    /// <summary>TABLESAMPLE (10 PERCENT | 5 ROWS | BUCKET 1 OUT OF 4) [REPEATABLE (seed)], before or behind the alias.</summary>
    private SourceSyntax Sampled(SourceSyntax source)
    {
        if (!Accept("TABLESAMPLE")) return source;
        var start = Current.Start;
        Expect("(");
        double? fraction = null;
        ExpressionSyntax? rows = null;
        if (Accept("BUCKET"))
        {
            var bucket = Amount();
            Expect("OUT");
            Expect("OF");
            fraction = bucket / Amount();
        }
        else
        {
            var amount = Expression();
            if (Accept("ROWS")) rows = amount;
            else if (!Accept("PERCENT")) throw Expected("PERCENT or ROWS");
            else if (amount is LiteralSyntax { Value: { Type.IsNumber: true } number }) fraction = AmountOf(number) / 100;
            else throw Wrong("A sample's percentage is a number.", start);
        }
        Expect(")");
        if (fraction is not (null or (>= 0 and <= 1))) throw Wrong("A sample is of 0 to 100 percent of the rows.", start);
        var seed = 0L;
        if (Accept("REPEATABLE"))
        {
            Expect("(");
            seed = (long)Amount();
            Expect(")");
        }
        // The sample has the source's name and columns; what it is taken of has them as well, so that both orders mean the same.
        return new SampleSyntax(source, fraction, rows, seed) { Position = source.Position };
    }

    private double Amount() => Current.Kind == TokenKind.Number ? AmountOf(Number("").Value) : throw Expected("a number");

    private static double AmountOf(Literal number) => double.Parse(SyntaxText.Literal(number), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A query, or joins, in parentheses; which of both is known only behind the inner parentheses.</summary>
    private SourceSyntax InParentheses()
    {
        Enter();
        var start = Current.Start;
        Expect("(");
        SourceSyntax inner;
        if (!Is("(") && IsQueryStart())
        {
            inner = new DerivedSyntax(Query()) { Position = start };
        }
        else if (Is("("))
        {
            inner = InParentheses();
            if (inner is DerivedSyntax { Alias: null } derived && GoesOnAsQuery())
            {
                inner = new DerivedSyntax(Continued(derived.Query)) { Position = start };
            }
            else
            {
                inner = Joins(Alias(inner));
                while (Accept(",")) inner = new JoinSyntax(JoinKind.Inner, inner, Joined()) { Position = start };
            }
        }
        else
        {
            inner = Sources();
        }
        Expect(")");
        _depth--;
        return inner;
    }

    private SourceSyntax Alias(SourceSyntax source)
    {
        string? alias = null;
        if (Accept("AS")) alias = Name("an alias behind AS");
        else if (Current.Kind == TokenKind.Name || (Current.Kind == TokenKind.Word && !Keywords.EndsSource(Current.Text))) alias = Take().Text;
        if (alias is null) return source;
        // (a JOIN b) AS t: t stands for the whole.
        if (source.Alias is not null || source is JoinSyntax)
        {
            source = new DerivedSyntax(new QuerySyntax(StarOf(source)) { Position = source.Position }) { Position = source.Position };
        }
        return source with { Alias = alias, Columns = Is("(") ? NamesInParentheses() : [] };
    }
}
