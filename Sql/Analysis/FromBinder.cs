using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>Gives FROM its meaning: a plan, and the columns that names can mean.</summary>
/// <param name="context">What the statement is bound with.</param>
/// <param name="outer">The scope of the query around.</param>
/// <param name="commons">Names of WITH.</param>
internal sealed class FromBinder(BindingContext context, Scope? outer, CommonTables commons)
{
    /// <summary>Binds what stands in FROM.</summary>
    public (LogicalPlan Plan, IReadOnlyList<ScopeColumn> Columns) Bind(SourceSyntax source)
    {
        if (source is JoinSyntax join) return Join(join);
        if (source is UnpivotSyntax { Alias: null } rows) return Unpivot(rows);
        if (source is SampleSyntax { Alias: null } unnamed) return Sample(unnamed);
        var (plan, name) = source switch
        {
            TableSyntax table => (Table(table), table.Name[^1]),
            DerivedSyntax derived => (new QueryBinder(context, outer, commons).Bind(derived.Query), null),
            FilesSyntax files => (Scan.Of(new FilesBinder(context).Open(files), files.Format), null),
            PlanSyntax bound => (bound.Plan, null),
            SampleSyntax sample => (Sample(sample).Plan, null),
            PivotSyntax pivot => (Pivot(pivot), null),
            UnpivotSyntax unpivot => (Unpivot(unpivot).Plan, null),
            TableFunctionSyntax function => (Function(function), function.Name),
            _ => throw new InvalidOperationException($"The binder does not know {source.GetType().Name}. This is a bug; please report it."),
        };
        var qualifier = source.Alias ?? name;
        var columns = plan.Output.Select((column, i) => new ScopeColumn(Named(column, i), qualifier ?? (source is PlanSyntax ? column.Qualifier : null))).ToArray();
        if (source.Columns.Count > 0 && source.Columns.Count != columns.Length)
        {
            throw context.Error(
                "NUM_TABLE_VALUE_ALIASES_MISMATCH",
                $"'{qualifier}' has {columns.Length} columns, but {source.Columns.Count} names are given: {source.Columns}.",
                source.Position);
        }
        return (plan, columns);

        ColumnReference Named(ColumnReference column, int i) => i < source.Columns.Count ? column with { Name = source.Columns[i] } : column;
    }

    /// <summary>A join; behind LATERAL names mean columns of the left side too.</summary>
    private (LogicalPlan Plan, IReadOnlyList<ScopeColumn> Columns) Join(JoinSyntax join)
    {
        var left = Bind(join.Left);
        if (join.Right is not DerivedSyntax { IsLateral: true }) return new JoinBinder(context, outer, commons).Bind(join, left, Bind(join.Right));
        if (join.Kind is JoinKind.Inner or JoinKind.Left)
            return new JoinBinder(context, outer, commons).Bind(join, left, new FromBinder(context, new Scope(left.Columns, outer), commons).Bind(join.Right));
        throw context.Error("INVALID_LATERAL_JOIN_TYPE", $"A {join.Kind.ToString().ToUpperInvariant()} join can't have LATERAL: only inner, cross and left ones can.", join.Position);
    }

    private LogicalPlan Pivot(PivotSyntax pivot)
    {
        var (plan, columns) = Bind(pivot.Source);
        return new PivotBinder(context, outer, commons).Pivot(pivot, plan, columns);
    }

    private (LogicalPlan Plan, IReadOnlyList<ScopeColumn> Columns) Unpivot(UnpivotSyntax unpivot)
    {
        var (plan, columns) = Bind(unpivot.Source);
        return new PivotBinder(context, outer, commons).Unpivot(unpivot, plan, columns);
    }

    private (LogicalPlan Plan, IReadOnlyList<ScopeColumn> Columns) Sample(SampleSyntax sample)
    {
        var (plan, columns) = Bind(sample.Source);
        if (sample.Rows is not null) plan = new Limit(new QueryBinder(context, outer, commons).Count(sample.Rows, "TABLESAMPLE"), 0, plan);
        else if (sample.Fraction is { } fraction)
        {
            ValueList<Expression> arguments = [new Literal(fraction, DataType.Double), new Literal(sample.Seed, DataType.BigInt)];
            plan = new Filter(new Call(SampleFunction.Instance, arguments, DataType.Boolean), plan);
        }
        return (plan, columns);
    }

    private LogicalPlan Table(TableSyntax table)
    {
        var name = string.Join('.', table.Name);
        if (table.Name.Count == 1)
        {
            if (commons.Find(name) is { } common) return common;
            if (context.Catalog.Find(name) is { } view) return view;
        }
        else if (table.Name.Count == 2 && table.Name[0].Equals("default", StringComparison.OrdinalIgnoreCase) && context.Catalog.Find(table.Name[1]) is { } named)
        {
            return named;
        }
        else if (table.Name.Count == 2 && context.Catalog.Files?.Invoke(table.Name[0], table.Name[1]) is { } file)
        {
            return Scan.Of(file, table.Name[1]);
        }
        var known = commons.Names.Concat(context.Catalog.Names).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        var views = known.Length == 0 ? "There are no tables or views yet." : $"There are: {Suggest.Some(known)}.";
        throw context.Error(
            "TABLE_OR_VIEW_NOT_FOUND",
            $"There is no table or view '{name}'. {views}{Suggest.Hint(name, known)} Files are read as format.`path`: parquet.`data/orders`.",
            table.Position);
    }

    private LogicalPlan Function(TableFunctionSyntax function)
    {
        var binder = new ExpressionBinder(context, new Scope([]), commons) { Clause = "a table function" };
        var arguments = function.Arguments.ConvertAll(argument => binder.Bind(argument) is Literal literal
            ? literal
            : throw context.Error("UNRESOLVABLE_TABLE_VALUED_FUNCTION", $"Arguments of '{function.Name}' are constants.", argument.Position));
        if (context.Catalog.TableFunctions?.Invoke(function.Name.ToLowerInvariant(), arguments) is { } table) return Scan.Of(table, function.Name);
        throw context.Error(
            "UNRESOLVABLE_TABLE_VALUED_FUNCTION",
            $"There is no table function '{function.Name}' that takes {arguments.Count} such arguments.",
            function.Position);
    }
}
