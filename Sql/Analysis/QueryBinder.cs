using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>Gives whole queries their meaning: WITH, set operations, VALUES, ORDER BY and LIMIT; <see cref="SelectBinder"/> those of a SELECT.</summary>
/// <param name="context">What the statement is bound with.</param>
/// <param name="outer">The scope of the query around; null at the top.</param>
/// <param name="commons">Names of WITH of the queries around.</param>
internal sealed class QueryBinder(BindingContext context, Scope? outer, CommonTables commons)
{
    /// <summary>Binds a query. Its output has the query's columns, in order, under their names.</summary>
    public LogicalPlan Bind(QuerySyntax query)
    {
        if (query.With.Count > 0) return new QueryBinder(context, outer, Define(query.With)).Bind(query with { With = [] });
        var plan = query.Body is SelectSyntax select ? new SelectBinder(context, outer, commons, select).Bind(query) : Sorted(query, Body(query.Body));
        return Limited(query, plan);
    }

    private CommonTables Define(ValueList<CommonSyntax> with)
    {
        var names = commons;
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var common in with)
        {
            if (!seen.Add(common.Name)) throw context.Error("DUPLICATED_CTE_NAMES", $"WITH has the name '{common.Name}' twice.", common.Position);
            var plan = Renamed(new QueryBinder(context, outer, names).Bind(common.Query), common.Columns, common.Name, common.Position, context);
            names = names.With(new CommonDefinition(common.Name, SeparateSubqueries.Apply(plan)));
        }
        return names;
    }

    /// <summary>A plan whose columns have other names: those of a WITH or a view.</summary>
    public static LogicalPlan Renamed(LogicalPlan plan, ValueList<string> names, string what, int position, BindingContext context)
    {
        if (names.Count == 0) return plan;
        if (names.Count != plan.Output.Count)
        {
            throw context.Error("NUM_TABLE_VALUE_ALIASES_MISMATCH", $"'{what}' has {plan.Output.Count} columns, but {names.Count} names are given: {names}.", position);
        }
        return new Project([.. plan.Output.Select((column, i) => NamedExpression.New(column, names[i]))], plan);
    }

    private LogicalPlan Body(BodySyntax body) => body switch
    {
        SelectSyntax select => new SelectBinder(context, outer, commons, select).Bind(new QuerySyntax(select)),
        NestedSyntax nested => Bind(nested.Query),
        ValuesSyntax values => Values(values),
        SetSyntax set => new SetBinder(context, Body).Bind(set),
        _ => throw new InvalidOperationException($"The binder does not know {body.GetType().Name}. This is a bug; please report it."),
    };

    private Values Values(ValuesSyntax values)
    {
        var width = values.Rows[0].Count;
        var binder = new ExpressionBinder(context, new Scope([], outer), commons) { Clause = "VALUES" };
        var rows = new List<Expression[]>(values.Rows.Count);
        foreach (var row in values.Rows)
        {
            if (row.Count != width)
            {
                throw context.Error(
                    "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH",
                    $"The first row of VALUES has {width} columns, this one has {row.Count}.",
                    row.Count > 0 ? row[0].Position : values.Position);
            }
            rows.Add([.. row.Select(binder.Bind)]);
        }
        var columns = new ColumnReference[width];
        for (var i = 0; i < width; i++)
        {
            if (TypeCoercion.Common(rows.Select(row => row[i].Type)) is not { } type)
            {
                var types = string.Join(", ", rows.Select(row => row[i].Type.SqlName).Distinct());
                throw context.Error(
                    "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE",
                    $"Column {i + 1} of VALUES has types that do not go together: {types}.",
                    values.Rows[0][i].Position);
            }
            foreach (var row in rows) row[i] = LiteralConversion.Cast(row[i], type, context.Session);
            columns[i] = new ColumnReference($"col{i + 1}", type, rows.Exists(row => row[i].Nullable));
        }
        return new Values([.. rows.Select(row => (ValueList<Expression>)[.. row])], [.. columns]);
    }

    /// <summary>ORDER BY behind a set operation or VALUES: it sees the output only.</summary>
    private LogicalPlan Sorted(QuerySyntax query, LogicalPlan plan)
    {
        if (query.OrderAll is { Key: NameSyntax name } all && Scope.Of(plan, null, null).Find(name.Parts).Count == 0)
        {
            return new Sort(plan.Output.ConvertAll(column => new SortOrder(column, all.IsDescending, all.NullsFirst ?? !all.IsDescending)), plan);
        }
        if (query.Orders.Count == 0) return plan;
        var binder = new ExpressionBinder(context, Scope.Of(plan, null, outer), commons) { Clause = "ORDER BY" };
        return new Sort(query.Orders.ConvertAll(order => Ordinal.Read(order.Key, plan.Output.Count, "ORDER_BY_POS_OUT_OF_RANGE", "ORDER BY", context) is { } place
            ? new SortOrder(plan.Output[place], order.IsDescending, order.NullsFirst ?? !order.IsDescending)
            : binder.Order(order)), plan);
    }

    private LogicalPlan Limited(QuerySyntax query, LogicalPlan plan)
    {
        if (query.Limit is null && query.Offset is null) return plan;
        long? count = query.Limit is null ? null : Count(query.Limit, "LIMIT");
        return new Limit(count, query.Offset is null ? 0 : Count(query.Offset, "OFFSET"), plan);
    }

    /// <summary>A number of rows: of LIMIT and its like.</summary>
    public long Count(ExpressionSyntax syntax, string clause)
    {
        var bound = new ExpressionBinder(context, new Scope([]), commons) { Clause = clause }.Bind(syntax);
        bound = Optimizer.FoldConstants.Folded(bound);
        var number = bound is Literal { Value: not null } literal ? LiteralConversion.TryConvert(literal, DataType.BigInt, context.Session) : null;
        if (number is { Value: long count and >= 0 }) return count;
        var reason = bound switch
        {
            Literal { Value: null } => "IS_NULL",
            Literal when number is { Value: long } => "IS_NEGATIVE",
            _ when !bound.Type.IsInteger => "DATA_TYPE",
            _ => "IS_UNFOLDABLE",
        };
        throw context.Error(
            $"INVALID_LIMIT_LIKE_EXPRESSION.{reason}", $"{clause} takes a whole number that is not negative, not '{SyntaxText.NameOf(syntax)}'.", syntax.Position);
    }
}
