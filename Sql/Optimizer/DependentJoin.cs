using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>
/// A subquery computed for all values at once that the columns it reads of the query around it take: these values (the domain) are joined with it at its
/// leaves, and every operator above keeps them apart. T. Neumann and A. Kemper, "Unnesting Arbitrary Queries" (2015).
/// </summary>
/// <remarks>Any subquery can be computed so, at the price of a distinct over what is around it; <see cref="Correlation"/> is tried first. The domain may
/// have more values than are asked for, never fewer.</remarks>
internal sealed class DependentJoin
{
    private readonly LogicalPlan _input;
    private readonly List<ColumnReference> _outer;

    private DependentJoin(LogicalPlan input, List<ColumnReference> outer)
    {
        _input = WithoutSideLooks(input, outer);
        _outer = outer;
    }

    /// <summary>Makes a subquery free of the query around it.</summary>
    /// <param name="input">What is around it.</param>
    /// <param name="plan">The subquery.</param>
    /// <returns>The subquery, whose output begins with its own columns and goes on with the domain's; and that these are equal to columns around.</returns>
    public static (LogicalPlan Plan, List<Expression> Conditions) Unnest(LogicalPlan input, LogicalPlan plan)
    {
        var join = new DependentJoin(input, Correlation.OuterColumns(plan, input.Output));
        var (pushed, domain) = join.Push(plan);
        return (Keeping(plan.Output, domain, pushed), Same(join._outer, domain));
    }

    /// <summary>The values that some columns of a plan take together, in columns of their own.</summary>
    public static (LogicalPlan Plan, ColumnReference[] Columns) DomainOf(LogicalPlan input, List<ColumnReference> columns)
    {
        var copy = FreshColumns.Copy(input);
        var keys = columns.ConvertAll(column =>
        {
            var value = copy.Output[IndexOf(input.Output, column)];
            return new NamedExpression(value, new ColumnReference(value.Name, value.Type, value.Nullable));
        });
        return (new Aggregate([.. keys], [], copy), [.. keys.Select(key => key.Column)]);
    }

    /// <summary>That columns are equal one by one, where nulls are equal to each other.</summary>
    public static List<Expression> Same(IEnumerable<ColumnReference> left, IEnumerable<ColumnReference> right) => [.. left.Zip(right, (one, other) =>
        (Expression)new Call(BuiltinFunctions.Registry.FindScalar(one.Nullable || other.Nullable ? "<=>" : "=")!, [one, other], DataType.Boolean))];

    // Joins that only add columns say nothing of the values there are; and which rows a limit takes may differ from one time to the next.
    private static LogicalPlan WithoutSideLooks(LogicalPlan input, List<ColumnReference> columns)
    {
        while (true)
        {
            switch (input)
            {
                case Join { Kind: JoinKind.Single or JoinKind.Mark } join when columns.TrueForAll(join.Left.Output.Contains): input = join.Left; break;
                case Limit or Sort: input = input.Inputs[0]; break;
                default: return input;
            }
        }
    }

    private (LogicalPlan Plan, ColumnReference[] Domain) Domain() => DomainOf(_input, _outer);

    private static int IndexOf(ValueList<ColumnReference> columns, ColumnReference column)
    {
        for (var i = 0; ; i++)
        {
            if (columns[i] == column) return i;
        }
    }

    private static LogicalPlan Keeping(ValueList<ColumnReference> own, ColumnReference[] domain, LogicalPlan plan) =>
        new Project([.. own.Concat(domain).Select(NamedExpression.Pass)], plan);

    private bool IsFree(LogicalPlan plan) => !plan.Parts().Any(part => part.Expressions.Any(IsOuter));

    private bool IsOuter(Expression expression) => expression.Parts().Any(part => part is OuterReference outer && _outer.Contains(outer.Column));

    private Expression Map(Expression expression, ColumnReference[] domain) =>
        expression.Rewrite(part => part is OuterReference outer && _outer.IndexOf(outer.Column) is >= 0 and var i ? domain[i] : part);

    private (LogicalPlan Plan, ColumnReference[] Domain) Push(LogicalPlan plan)
    {
        if (plan is Values values && !IsFree(plan)) return PushValues(values);
        if (IsFree(plan))
        {
            var (values2, columns) = Domain();
            return (new Join(JoinKind.Inner, plan, values2, null), columns);
        }
        switch (plan)
        {
            case Join join: return PushJoin(join);
            case Union union: return PushUnion(union);
            case SetOperation operation:
            {
                var (left, leftDomain) = Push(operation.Left);
                var (right, rightDomain) = Push(operation.Right);
                var both = operation with { Left = Keeping(operation.Left.Output, leftDomain, left), Right = Keeping(operation.Right.Output, rightDomain, right) };
                return (both, leftDomain);
            }
        }
        if (plan.Inputs.Count != 1) throw Unsupported(plan);
        var (input, domain) = Push(plan.Inputs[0]);
        switch (plan)
        {
            case Filter or Sort:
                return (plan.WithInputs([input]).MapExpressions(expression => Map(expression, domain)), domain);
            case Project project:
                return (new Project([.. project.Items.Select(item => item with { Value = Map(item.Value, domain) }), .. domain.Select(NamedExpression.Pass)], input), domain);
            case Aggregate aggregate:
                return PushAggregate(aggregate, input, domain);
            case SessionAggregate session:
                var keys = session.Keys.Select(key => key with { Value = Map(key.Value, domain) }).Concat(domain.Select(NamedExpression.Pass));
                var calls = session.Aggregates.ConvertAll(each => each with { Value = Map(each.Value, domain) });
                return (new SessionAggregate([.. keys], Map(session.Time, domain), session.GapMicroseconds, session.Start, session.End, calls, input), domain);
            case Plans.Window window:
                var items = window.Items.ConvertAll(item => item with { Value = Partitioned((WindowExpression)Map(item.Value, domain), domain) });
                return (new Plans.Window(items, input), domain);
            case Limit limit:
                return (LimitEach(limit, input, domain), domain);
            case Expand expand:
                var lists = expand.Projections.ConvertAll(list => new ValueList<Expression>([.. list.Select(value => Map(value, domain)), .. domain]));
                var copies = Array.ConvertAll(domain, column => new ColumnReference(column.Name, column.Type, column.Nullable));
                return (new Expand(lists, [.. expand.Columns, .. copies], input), copies);
            default:
                throw Unsupported(plan);
        }
    }

    private static WindowExpression Partitioned(WindowExpression window, ColumnReference[] domain) => window with { Partitions = [.. window.Partitions, .. domain] };

    private (LogicalPlan Plan, ColumnReference[] Domain) PushAggregate(Aggregate aggregate, LogicalPlan input, ColumnReference[] domain)
    {
        var keys = aggregate.Keys.Select(key => key with { Value = Map(key.Value, domain) }).Concat(domain.Select(NamedExpression.Pass));
        var calls = aggregate.Aggregates.ConvertAll(each => each with { Value = Map(each.Value, domain) });
        if (aggregate.Keys.Count > 0) return (new Aggregate([.. keys], calls, input), domain);

        // Without keys there is a row for each value of the domain, also for those that no row below has.
        var inner = calls.ConvertAll(each => each with { Column = new ColumnReference(each.Column.Name, each.Column.Type, each.Column.Nullable) });
        var grouped = new Aggregate([.. keys], inner, input);
        var isThere = NamedExpression.New(Literal.True, "is there");
        var marked = new Project([.. grouped.Output.Select(NamedExpression.Pass), isThere], grouped);
        var (all, columns) = Domain();
        var joined = new Join(JoinKind.Left, all, marked, Conjuncts.All(Same(columns, domain)));
        var isMissing = new Call(BuiltinFunctions.Registry.FindScalar("isnull")!, [isThere.Column.AsNullable()], DataType.Boolean);
        var results = calls.Zip(inner, (call, found) =>
        {
            var nothing = Correlation.OfNoRows(aggregate, call.Column);
            return new NamedExpression(nothing.Value is null ? found.Column.AsNullable() : new Case([isMissing, nothing], found.Column.AsNullable()), call.Column);
        });
        return (new Project([.. results, .. columns.Select(NamedExpression.Pass)], joined), columns);
    }

    // The first rows of each value of the domain.
    private static LogicalPlan LimitEach(Limit limit, LogicalPlan input, ColumnReference[] domain)
    {
        var count = new AggregateCall(BuiltinFunctions.Registry.FindAggregate("count")!, [], DataType.BigInt);
        var orders = limit.Input is Sort ? ((Sort)input).Orders : [];
        var number = NamedExpression.New(
            new WindowExpression(count, [.. domain], orders, new WindowFrame(false, null, new Literal(0, DataType.Int))), "number");
        var conditions = new List<Expression> { Compare(">", number.Column, limit.Offset) };
        if (limit.Count is { } most) conditions.Add(Compare("<=", number.Column, checked(most + limit.Offset)));
        var rows = limit.Input is Sort ? input.Inputs[0] : input;
        return Keeping(limit.Output, domain, new Filter(Conjuncts.All(conditions)!, new Plans.Window([number], rows)));
    }

    private static Call Compare(string name, Expression value, long with) =>
        new(BuiltinFunctions.Registry.FindScalar(name)!, [value, new Literal(with, DataType.BigInt)], DataType.Boolean);

    private (LogicalPlan Plan, ColumnReference[] Domain) PushUnion(Union union)
    {
        ColumnReference[] columns = [.. _outer.Select(column => new ColumnReference(column.Name, column.Type, true))];
        var branches = union.Branches.ConvertAll(branch =>
        {
            var (pushed, domain) = Push(branch);
            return Keeping(branch.Output, domain, pushed);
        });
        return (new Union(branches, [.. union.Columns, .. columns]), columns);
    }

    private (LogicalPlan Plan, ColumnReference[] Domain) PushValues(Values values)
    {
        ColumnReference[] columns = [.. _outer.Select(column => new ColumnReference(column.Name, column.Type, true))];
        var rows = values.Rows.ConvertAll<LogicalPlan>(row =>
        {
            var (all, domain) = Domain();
            return new Project([.. row.Select((value, i) => NamedExpression.New(Map(value, domain), values.Columns[i].Name)), .. domain.Select(NamedExpression.Pass)], all);
        });
        return (new Union(rows, [.. values.Columns, .. columns]), columns);
    }

    private (LogicalPlan Plan, ColumnReference[] Domain) PushJoin(Join join)
    {
        var isLeftFree = IsFree(join.Left);
        var isRightFree = IsFree(join.Right);
        var keepsLeft = join.Kind is not (JoinKind.Right or JoinKind.Full);
        var keepsRight = join.Kind is JoinKind.Inner or JoinKind.Right;
        if (isRightFree && keepsLeft && !(isLeftFree && keepsRight && join.Condition is null))
        {
            var (left, domain) = Push(join.Left);
            return (new Join(join.Kind, left, join.Right, MapCondition(domain), join.MarkColumn), domain);
        }
        if (isLeftFree && keepsRight)
        {
            var (right, domain) = Push(join.Right);
            return (new Join(join.Kind, join.Left, right, MapCondition(domain), join.MarkColumn), domain);
        }
        var (both, leftDomain) = Push(join.Left);
        var (other, rightDomain) = Push(join.Right);
        var same = Same(leftDomain, rightDomain);
        var condition = MapCondition(leftDomain);
        switch (join.Kind)
        {
            case JoinKind.NullAwareAnti:
                return (new Join(JoinKind.Anti, both, other, Conjuncts.All(same.Prepend(OpenMatch.MayBe(condition!)))), leftDomain);
            case JoinKind.Mark when join.MarkColumn!.Nullable:
                return (OpenMatch.Mark(both, other, condition!, same, join.MarkColumn), leftDomain);
            case JoinKind.Full:
                var joined = new Join(JoinKind.Full, both, other, Conjuncts.All(Conjuncts.Of(condition).Concat(same)));
                var either = leftDomain.Zip(rightDomain, (one, two) =>
                    NamedExpression.New(new Call(BuiltinFunctions.Registry.FindScalar("coalesce")!, [one.AsNullable(), two.AsNullable()], one.Type), one.Name)).ToList();
                return (new Project([.. join.Output.Select(NamedExpression.Pass), .. either], joined), [.. either.Select(each => each.Column)]);
            default:
                var result = new Join(join.Kind, both, other, Conjuncts.All(Conjuncts.Of(condition).Concat(same)), join.MarkColumn);
                return (result, join.Kind == JoinKind.Right ? rightDomain : leftDomain);
        }

        Expression? MapCondition(ColumnReference[] domain) => join.Condition is null ? null : Map(join.Condition, domain);
    }

    private static QueryException Unsupported(LogicalPlan plan) => new(
        "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED", $"A subquery reads the query around it below an operator that can't be computed so: {plan.Describe()}. Write it as a join with a derived table.");
}
