using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Parsing;

internal sealed partial class Parser
{
    /// <summary>( [name] [PARTITION BY ...] [ORDER BY ...] [frame] )</summary>
    private WindowSyntax WindowDefinition() => Deeper(() =>
    {
        var start = Current.Start;
        Expect("(");
        string? name = null;
        if (IsName && !Is("PARTITION") && !Is("ORDER") && !Is("ROWS") && !Is("RANGE") && !Is("DISTRIBUTE")) name = Take().Text;
        ValueList<ExpressionSyntax> partitions = Accept("PARTITION", "BY") || Accept("DISTRIBUTE", "BY") ? List(() => Expression()) : [];
        ValueList<OrderSyntax> orders = Accept("ORDER", "BY") || Accept("SORT", "BY") ? List(Order) : [];
        var frame = Is("ROWS") || Is("RANGE") ? Frame() : null;
        Expect(")");
        return new WindowSyntax(name, partitions, orders, frame) { Position = start };
    });

    private FrameSyntax Frame()
    {
        var isRange = Take().Is("RANGE");
        var currentRow = new FrameEndSyntax(false, null) { IsCurrentRow = true };
        if (!Accept("BETWEEN")) return new FrameSyntax(isRange, FrameEnd(), currentRow);
        var start = FrameEnd();
        Expect("AND");
        return new FrameSyntax(isRange, start, FrameEnd());
    }

    private FrameEndSyntax FrameEnd()
    {
        if (Accept("CURRENT"))
        {
            Expect("ROW");
            return new FrameEndSyntax(false, null) { IsCurrentRow = true };
        }
        var offset = Accept("UNBOUNDED") ? null : Expression();
        if (Accept("FOLLOWING")) return new FrameEndSyntax(true, offset);
        if (!Accept("PRECEDING")) throw Expected("PRECEDING or FOLLOWING");
        return new FrameEndSyntax(false, offset);
    }

    /// <summary>INTERVAL '90' DAY, INTERVAL 1 YEAR 2 MONTHS, INTERVAL '1-2' YEAR TO MONTH, INTERVAL '3 days 4 hours'.</summary>
    private LiteralSyntax Interval()
    {
        var start = Take().Start;
        var total = new IntervalText();
        var sign = Signed();
        if (Current.Kind == TokenKind.Text && !IsUnit(Ahead(1)))
        {
            var text = Take();
            if (!total.AddUnits(text.Text, sign)) throw Wrong($"'{text.Text}' is not an interval, such as '3 days 4 hours'.", text.Start);
        }
        else
        {
            do
            {
                var amount = Take();
                if (amount.Kind is not (TokenKind.Text or TokenKind.Number)) throw Wrong("An interval's amount is a number.", amount.Start);
                if (!IsUnit(Current)) throw Expected("a unit such as DAY or MONTH");
                var unit = Take().Text;
                var isRead = Accept("TO")
                    ? total.AddRange(amount.Text, unit, Name("a unit such as SECOND", anyWord: true), sign)
                    : total.Add(amount.Text, unit, sign);
                if (!isRead) throw Wrong($"'{amount.Text}' is not an amount of {unit.ToUpperInvariant()}, or too large.", amount.Start);
            }
            while (Current.Kind is TokenKind.Text or TokenKind.Number && IsUnit(Ahead(1)));
        }
        var value = total.ToLiteral() ?? throw Wrong("An interval has months and years, or days and smaller, not both.", start);
        return new LiteralSyntax(value, total.ToString()) { Position = start };
    }

    private int Signed()
    {
        if (Accept("-")) return -1;
        Accept("+");
        return 1;
    }

    private static bool IsUnit(Token token) => token.Kind == TokenKind.Word && IntervalText.IsUnit(token.Text);
}
