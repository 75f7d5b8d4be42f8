using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>Binds PIVOT and UNPIVOT over a source that is bound.</summary>
/// <param name="context">What the statement is bound with.</param>
/// <param name="outer">The scope of the query around.</param>
/// <param name="commons">Names of WITH.</param>
internal sealed class PivotBinder(BindingContext context, Scope? outer, CommonTables commons)
{
    /// <summary>
    /// PIVOT, as two groupings: by the keys and the columns whose values become columns, and of that by the keys alone, where each new column picks the
    /// one row with its value. So a value that no row has gives null, also for count.
    /// </summary>
    public LogicalPlan Pivot(PivotSyntax pivot, LogicalPlan input, IReadOnlyList<ScopeColumn> columns)
    {
        var binder = new ExpressionBinder(context, new Scope(columns, outer), commons) { Clause = "PIVOT", AllowsAggregates = true };
        var aggregates = pivot.Aggregates.ConvertAll(item => binder.Bind(item.Value));
        for (var i = 0; i < aggregates.Count; i++)
        {
            if (!aggregates[i].Parts().Any(part => part is AggregateCall))
            {
                throw context.Error(
                    "UNSUPPORTED_FEATURE.PIVOT_TYPE", $"PIVOT computes aggregates; '{SyntaxText.NameOf(pivot.Aggregates[i].Value)}' is none.", pivot.Aggregates[i].Value.Position);
            }
        }
        var turned = pivot.Turned.ConvertAll(binder.Bind);
        if (pivot.Keys is { } named)
        {
            var times = new TimeWindows(context);
            var keyBinder = new ExpressionBinder(context, new Scope(columns, outer), commons) { Clause = "GROUP BY", Times = times };
            foreach (var key in named) keyBinder.Bind(key);
            times.CheckNotPivoted();
        }
        var read = aggregates.Concat(turned).SelectMany(expression => expression.References()).Select(column => column.Id).ToHashSet();
        var keys = pivot.Keys ?? [.. columns.Where(column => !column.IsMerged && !read.Contains(column.Column.Id)).Select(column => (ExpressionSyntax)new BoundSyntax(column.Column))];

        var inner = new SelectSyntax(
            [
                .. keys.Select((key, i) => new ItemSyntax(key, $"key {i}")),
                .. pivot.Turned.Select((column, i) => new ItemSyntax(column, $"pivot {i}")),
                .. pivot.Aggregates.Select((item, i) => new ItemSyntax(item.Value, $"value {i}")),
            ])
        {
            From = Source(input, columns),
            Grouping = new GroupingSyntax([.. keys.Concat(pivot.Turned).Select(GroupingElementSyntax.Of)]),
        };
        List<ItemSyntax> items = [.. keys.Select((key, i) => new ItemSyntax(new NameSyntax($"key {i}"), SyntaxText.NameOf(key)))];
        foreach (var entry in pivot.Values)
        {
            var (condition, text) = Condition(entry, pivot, turned);
            for (var i = 0; i < pivot.Aggregates.Count; i++)
            {
                var aggregate = pivot.Aggregates[i];
                var name = entry.Alias ?? text;
                if (pivot.Aggregates.Count > 1) name += "_" + (aggregate.Alias ?? SyntaxText.NameOf(aggregate.Value));
                items.Add(new ItemSyntax(new CallSyntax("any_value", [new NameSyntax($"value {i}")]) { Filter = condition }, name));
            }
        }
        var whole = new SelectSyntax([.. items])
        {
            From = new DerivedSyntax(new QuerySyntax(inner)),
            Grouping = keys.Count == 0 ? null : new GroupingSyntax([.. keys.Select((_, i) => GroupingElementSyntax.Of(new NameSyntax($"key {i}")))]),
        };
        return new QueryBinder(context, outer, commons).Bind(new QuerySyntax(whole) { Position = pivot.Position });
    }

    private (ExpressionSyntax Condition, string Text) Condition(PivotValueSyntax entry, PivotSyntax pivot, ValueList<Expression> turned)
    {
        if (entry.Values.Count != turned.Count)
        {
            throw context.Error(
                "PIVOT_VALUE_DATA_TYPE_MISMATCH", $"PIVOT turns {turned.Count} columns, but this entry of IN has {entry.Values.Count} values.", pivot.Position);
        }
        var binder = new ExpressionBinder(context, new Scope([]), commons) { Clause = "the values of PIVOT" };
        ExpressionSyntax? all = null;
        List<string> texts = [];
        for (var i = 0; i < turned.Count; i++)
        {
            if (Optimizer.FoldConstants.Folded(binder.Bind(entry.Values[i])) is not Literal literal)
                throw context.Error("NON_LITERAL_PIVOT_VALUES", $"The values of PIVOT are constants, not '{SyntaxText.NameOf(entry.Values[i])}'.", entry.Values[i].Position);
            if (TypeCoercion.Common([literal.Type, turned[i].Type]) is null)
            {
                throw context.Error(
                    "PIVOT_VALUE_DATA_TYPE_MISMATCH",
                    $"'{SyntaxText.NameOf(entry.Values[i])}' is {literal.Type.SqlName}, but the column that PIVOT turns is {turned[i].Type.SqlName}.",
                    entry.Values[i].Position);
            }
            var same = new OperatorSyntax("<=>", [new NameSyntax($"pivot {i}"), new BoundSyntax(literal)]) { Position = entry.Values[i].Position };
            all = all is null ? same : new OperatorSyntax("and", [all, same]);
            var text = Optimizer.FoldConstants.Folded(LiteralConversion.Cast(literal, DataType.String, context.Session));
            texts.Add(text is Literal { Value: string value } ? value : "null");
        }
        return (all!, texts.Count == 1 ? texts[0] : $"{{{string.Join(", ", texts)}}}");
    }

    /// <summary>UNPIVOT: each row once for each set of columns.</summary>
    public (LogicalPlan Plan, IReadOnlyList<ScopeColumn> Columns) Unpivot(UnpivotSyntax unpivot, LogicalPlan input, IReadOnlyList<ScopeColumn> columns)
    {
        var binder = new ExpressionBinder(context, new Scope(columns, outer), commons) { Clause = "UNPIVOT" };
        var sets = unpivot.Sets.ConvertAll(set => set.Values.ConvertAll(binder.Bind));
        foreach (var (set, bound) in unpivot.Sets.Zip(sets))
        {
            if (bound.Count == unpivot.Values.Count) continue;
            throw context.Error(
                "UNPIVOT_VALUE_SIZE_MISMATCH", $"UNPIVOT has {unpivot.Values.Count} value columns, but this entry of IN has {bound.Count}.", set.Values[0].Position);
        }
        var read = sets.SelectMany(set => set).SelectMany(value => value.References()).Select(column => column.Id).ToHashSet();
        ScopeColumn[] keys = unpivot.Keys is { } given
            ? [.. given.Select(key => new ScopeColumn((ColumnReference)binder.Bind(key), null))]
            : [.. columns.Where(column => !column.IsMerged && !read.Contains(column.Column.Id))];
        List<ColumnReference> output = [.. keys.Select(key => new ColumnReference(key.Column.Name, key.Column.Type, key.Column.Nullable))];
        output.Add(new ColumnReference(unpivot.Name, DataType.String, false));
        for (var i = 0; i < unpivot.Values.Count; i++)
        {
            var type = TypeCoercion.Common(sets.Select(set => set[i].Type)) ?? throw context.Error(
                "UNPIVOT_VALUE_DATA_TYPE_MISMATCH",
                $"The columns that become '{unpivot.Values[i]}' have types that do not go together: {string.Join(", ", sets.Select(set => set[i].Type.SqlName).Distinct())}.",
                unpivot.Position);
            output.Add(new ColumnReference(unpivot.Values[i], type, true));
        }
        var rows = sets.Select((set, number) => (ValueList<Expression>)
        [
            .. keys.Select(key => key.Column),
            new Literal(unpivot.Sets[number].Alias ?? string.Join('_', unpivot.Sets[number].Values.Select(value => SyntaxText.NameOf(value))), DataType.String),
            .. set.Select((value, i) => LiteralConversion.Cast(value, output[keys.Length + 1 + i].Type, context.Session)),
        ]);
        LogicalPlan plan = new Expand([.. rows], [.. output], input);
        if (!unpivot.KeepsNulls)
        {
            ExpressionSyntax? any = null;
            foreach (var column in output[(keys.Length + 1)..])
            {
                var isThere = new OperatorSyntax("isnotnull", [new BoundSyntax(column)]);
                any = any is null ? isThere : new OperatorSyntax("or", [any, isThere]);
            }
            plan = new Filter(new ExpressionBinder(context, Scope.Of(plan, null, null), commons) { Clause = "UNPIVOT" }.BindCondition(any!), plan);
        }
        return (plan, [.. output.Select((column, i) => new ScopeColumn(column, i < keys.Length ? keys[i].Qualifier : null))]);
    }

    // A source again, with the names that its columns have here.
    private static PlanSyntax Source(LogicalPlan input, IReadOnlyList<ScopeColumn> columns) => new(new Project(
        [.. columns.Where(column => !column.IsMerged).DistinctBy(column => column.Column.Id).Select(column => NamedExpression.Pass(column.Column with { Qualifier = column.Qualifier }))],
        input));
}
