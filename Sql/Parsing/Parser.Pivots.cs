namespace Dataflow.Sql.Parsing;

internal sealed partial class Parser
{
    /// <summary>PIVOT (sum(a) AS s, ... FOR c IN (1 AS one, 2)), or FOR (c, d) IN ((1, 2) AS x, ...).</summary>
    private PivotSyntax Pivot(SourceSyntax source)
    {
        var start = Take().Start;
        Expect("(");
        // FOR ends the list: it is no alias here.
        var aggregates = List(() =>
        {
            var aggregate = Expression();
            return Accept("AS") || (IsName && !Is("FOR")) ? new ItemSyntax(aggregate, Name("a name behind AS", anyWord: true)) : new ItemSyntax(aggregate);
        });
        Expect("FOR");
        ValueList<ExpressionSyntax> columns;
        if (Accept("("))
        {
            columns = List(ColumnName);
            Expect(")");
        }
        else
        {
            columns = [ColumnName()];
        }
        Expect("IN");
        Expect("(");
        var values = List(() => Entry(Expression()));
        Expect(")");
        Expect(")");
        return new PivotSyntax(source, aggregates, columns, values) { Position = start };
    }

    /// <summary>UNPIVOT [INCLUDE | EXCLUDE NULLS] (v FOR n IN (a AS x, b)), or ((v, w) FOR n IN ((a, b) AS x, ...)).</summary>
    private UnpivotSyntax Unpivot(SourceSyntax source)
    {
        var start = Take().Start;
        var keepsNulls = Accept("INCLUDE");
        if (keepsNulls || Accept("EXCLUDE")) Expect("NULLS");
        Expect("(");
        ValueList<string> values = Is("(") ? NamesInParentheses() : [Name("a name for the values")];
        Expect("FOR");
        var name = Name("a name for the names");
        Expect("IN");
        Expect("(");
        var sets = List(() =>
        {
            if (!Is("(")) return Entry(ColumnName());
            Expect("(");
            var columns = List(ColumnName);
            Expect(")");
            return Entry(columns.Count == 1 ? columns[0] : new RowSyntax(columns));
        });
        Expect(")");
        Expect(")");
        return new UnpivotSyntax(source, keepsNulls, name, values, sets) { Position = start };
    }

    private ExpressionSyntax ColumnName()
    {
        var start = Current.Start;
        return new NameSyntax(NameParts("a column")) { Position = start };
    }

    private PivotValueSyntax Entry(ExpressionSyntax value)
    {
        string? alias = null;
        if (Accept("AS")) alias = Name("a name behind AS", anyWord: true);
        else if (IsName) alias = Take().Text;
        return new PivotValueSyntax(value is RowSyntax row ? row.Values : [value], alias);
    }
}
