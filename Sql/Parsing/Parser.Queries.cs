namespace Dataflow.Sql.Parsing;

internal sealed partial class Parser
{
    private QuerySyntax Query()
    {
        Enter();
        var start = Current.Start;
        ValueList<CommonSyntax> with = [];
        if (Accept("WITH"))
        {
            if (Is("RECURSIVE")) throw Wrong("WITH RECURSIVE is not supported.", Current.Start);
            with = List(Common);
        }
        var query = Organised(SetOperations(Primary(), 0), start) with { With = with };
        _depth--;
        return query;
    }

    /// <summary>Goes on behind a query in parentheses that turned out to be the left side of more: <c>((SELECT 1) UNION (SELECT 2))</c>.</summary>
    private QuerySyntax Continued(QuerySyntax left) => Organised(SetOperations(new NestedSyntax(left) { Position = left.Position }, 0), left.Position);

    private bool GoesOnAsQuery() => Is("UNION") || Is("EXCEPT") || Is("MINUS") || Is("INTERSECT") || Is("ORDER") || Is("LIMIT") || Is("OFFSET");

    private CommonSyntax Common()
    {
        var start = Current.Start;
        var name = Name("a name");
        var columns = Is("(") ? NamesInParentheses() : [];
        Accept("AS");
        Expect("(");
        var query = Query();
        Expect(")");
        return new CommonSyntax(name, columns, query) { Position = start };
    }

    private QuerySyntax Organised(BodySyntax body, int start)
    {
        var query = new QuerySyntax(body) { Position = start };
        if (Accept("ORDER", "BY"))
        {
            // Whether it is ALL, or a column of that name, is known only to the binder.
            var isAll = Is("ALL") && !Ahead(1).Is(".") && !Ahead(1).Is("(");
            query = query with { Orders = List(Order) };
            if (isAll && query.Orders.Count == 1) query = query with { OrderAll = query.Orders[0] };
        }
        else if (Accept("CLUSTER", "BY"))
        {
            query = query with { Orders = List(Order) };
        }
        else
        {
            // Where rows are computed is the planner's business; what is sorted in each part may as well be sorted as a whole.
            if (Accept("DISTRIBUTE", "BY")) query = query with { Distribution = List(() => Expression()) };
            if (Accept("SORT", "BY")) query = query with { Orders = List(Order) };
        }
        if (Accept("WINDOW")) query = query with { Body = WithWindows(body) };
        if (Accept("LIMIT") && !Accept("ALL")) query = query with { Limit = Expression() };
        if (Accept("OFFSET")) query = query with { Offset = Expression() };
        if (query.Limit is null && query.Offset is not null && Accept("LIMIT")) query = query with { Limit = Expression() };
        return query;
    }

    /// <summary>UNION and EXCEPT bind alike, INTERSECT closer.</summary>
    private BodySyntax SetOperations(BodySyntax left, int floor)
    {
        while (true)
        {
            var (kind, rank) = Is("UNION") ? (SetKind.Union, 1) : Is("EXCEPT") || Is("MINUS") ? (SetKind.Except, 1) : Is("INTERSECT") ? (SetKind.Intersect, 2) : default;
            if (rank <= floor) return left;
            var start = Take().Start;
            var all = Accept("ALL");
            if (!all) Accept("DISTINCT");
            left = new SetSyntax(kind, all, left, SetOperations(Primary(), rank)) { Position = start };
        }
    }

    private BodySyntax Primary()
    {
        var start = Current.Start;
        if (Accept("SELECT")) return Select(null) with { Position = start };
        if (Is("VALUES"))
        {
            var values = Alias(InlineTable());
            return values.Alias is null ? ((DerivedSyntax)values).Query.Body : StarOf(values);
        }
        if (Accept("TABLE"))
        {
            return StarOf(new TableSyntax(NameParts("a table")) { Position = start });
        }
        if (Accept("FROM"))
        {
            var from = Sources();
            if (!Accept("SELECT")) return StarOf(from);
            return Select(from) with { Position = start };
        }
        if (!Accept("(")) throw Expected("SELECT");
        var query = Query();
        Expect(")");
        return new NestedSyntax(query) { Position = start };
    }

    /// <summary>SELECT * of something.</summary>
    private static SelectSyntax StarOf(SourceSyntax source) =>
        new([new ItemSyntax(new StarSyntax([], []) { Position = source.Position })]) { From = source, Position = source.Position };

    private DerivedSyntax InlineTable()
    {
        var start = Take().Start;
        return new DerivedSyntax(new QuerySyntax(new ValuesSyntax(List(ValuesRow)) { Position = start }) { Position = start }) { Position = start };
    }

    /// <summary>A row of VALUES: one value, or several in parentheses. Names behind AS say nothing here, but may stand.</summary>
    private ValueList<ExpressionSyntax> ValuesRow()
    {
        if (!Is("(") || IsQueryStart()) return Row(Expression());
        var start = Take().Start;
        var items = List(Item);
        Expect(")");
        if (items.Count > 1) return items.ConvertAll(item => item.Value);
        // (1) + 2 is one value.
        return Row(Climb(items[0].Value with { Position = start }, 0));

        static ValueList<ExpressionSyntax> Row(ExpressionSyntax value) => value is RowSyntax row ? row.Values : [value];
    }

    private SelectSyntax Select(SourceSyntax? from)
    {
        var isDistinct = Accept("DISTINCT");
        // "all" may be a column as well.
        if (!isDistinct && Is("ALL") && !Ahead(1).Is(",") && !Ahead(1).Is(".") && !Ahead(1).Is("FROM") && Ahead(1).Kind != TokenKind.End) _at++;
        var select = new SelectSyntax(List(Item)) { IsDistinct = isDistinct, From = from };
        if (from is null && Accept("FROM")) select = select with { From = Sources() };
        if (Accept("WHERE")) select = select with { Where = Expression() };
        if (Accept("GROUP", "BY")) select = select with { Grouping = Grouping() };
        if (Accept("HAVING")) select = select with { Having = Expression() };
        if (Accept("QUALIFY")) select = select with { Qualify = Expression() };
        if (Accept("WINDOW")) select = WithWindows(select);
        if (select.Qualify is null && Accept("QUALIFY")) select = select with { Qualify = Expression() };
        return select;
    }

    private SelectSyntax WithWindows(BodySyntax body)
    {
        if (body is not SelectSyntax select) throw Wrong("WINDOW belongs to a SELECT.", Current.Start);
        var windows = List(() =>
        {
            var name = Name("a name for the window");
            Expect("AS");
            return new KeyValuePair<string, WindowSyntax>(name, WindowDefinition());
        });
        return select with { Windows = [.. select.Windows, .. windows] };
    }

    private ItemSyntax Item()
    {
        var value = Expression();
        if (Accept("AS"))
        {
            if (Is("(")) throw Wrong("Several names behind AS are not supported.", Current.Start);
            return new ItemSyntax(value, Name("a name behind AS", anyWord: true));
        }
        if (Current.Kind == TokenKind.Name) return new ItemSyntax(value, Take().Text);
        if (Current.Kind == TokenKind.Word && !Keywords.IsReserved(Current.Text)) return new ItemSyntax(value, Take().Text);
        if (Current.Kind == TokenKind.Text && _text[Current.Start] == '"') return new ItemSyntax(value, Take().Text);
        return new ItemSyntax(value);
    }

    private OrderSyntax Order()
    {
        var key = Expression();
        var isDescending = Accept("DESC");
        if (!isDescending) Accept("ASC");
        bool? nullsFirst = null;
        if (Accept("NULLS"))
        {
            nullsFirst = Accept("FIRST");
            if (nullsFirst == false) Expect("LAST");
        }
        return new OrderSyntax(key, isDescending, nullsFirst);
    }

    private GroupingSyntax Grouping()
    {
        // Whether it is ALL, or a column of that name, is known only to the binder.
        var isAll = Is("ALL") && !Ahead(1).Is(".") && !Ahead(1).Is(",") && !Ahead(1).Is("(");
        var elements = List(GroupingElement);
        if (Accept("WITH"))
        {
            var kind = Accept("ROLLUP") ? GroupingKind.Rollup : GroupingKind.Cube;
            if (kind == GroupingKind.Cube) Expect("CUBE");
            return new GroupingSyntax([new GroupingElementSyntax(kind, [.. elements.SelectMany(element => element.Sets)], [])]);
        }
        // GROUP BY a, b GROUPING SETS (...): the list before the sets names the keys, and their order in grouping_id.
        if (Is("GROUPING", "SETS"))
        {
            _at += 2;
            return new GroupingSyntax([GroupingSets() with { Sets = [.. elements.SelectMany(element => element.Sets)] }]);
        }
        return new GroupingSyntax(elements, isAll);
    }

    private GroupingElementSyntax GroupingElement()
    {
        if (Accept("GROUPING", "SETS")) return GroupingSets();
        if (Is("ROLLUP", "(") || Is("CUBE", "("))
        {
            var word = Take();
            var kind = word.Is("ROLLUP") ? GroupingKind.Rollup : GroupingKind.Cube;
            Expect("(");
            var sets = List(GroupingSet);
            if (sets.Any(set => set.Count == 0)) throw Wrong($"() can't stand in {word.Text.ToUpperInvariant()}: it makes that set itself.", word.Start);
            Expect(")");
            return new GroupingElementSyntax(kind, sets, []);
        }
        return new GroupingElementSyntax(GroupingKind.Plain, [GroupingSet()], []);
    }

    private GroupingElementSyntax GroupingSets() => Deeper(() =>
    {
        Expect("(");
        var nested = List(GroupingElement);
        Expect(")");
        return new GroupingElementSyntax(GroupingKind.Sets, [], nested);
    });

    /// <summary>One expression, or several in parentheses that go together; () for none.</summary>
    private ValueList<ExpressionSyntax> GroupingSet()
    {
        if (Is("(", ")"))
        {
            _at += 2;
            return [];
        }
        var key = Expression();
        return key is RowSyntax row ? row.Values : [key];
    }
}
