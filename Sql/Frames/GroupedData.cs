using Dataflow.Sql.Parsing;

namespace Dataflow.Sql;

public sealed partial class DataFrame
{
    /// <summary>Groups rows with equal values: <c>GroupBy(Col("nation")).Agg(Sum("total").As("revenue"))</c>. Nulls are equal.</summary>
    /// <param name="keys">What groups go by; none for one group of all rows.</param>
    public GroupedData GroupBy(params Column[] keys) => new(this, keys, GroupingKind.Plain);

    /// <inheritdoc cref="GroupBy(Column[])"/>
    /// <param name="keys">Names of columns.</param>
    public GroupedData GroupBy(params string[] keys) => GroupBy(Functions.Cols(keys));

    /// <summary>Groups by all leading parts of a list of keys: subtotals, and the total. Keys that a group does not go by are null.</summary>
    /// <param name="keys">The keys.</param>
    public GroupedData Rollup(params Column[] keys) => new(this, keys, GroupingKind.Rollup);

    /// <inheritdoc cref="Rollup(Column[])"/>
    /// <param name="keys">Names of columns.</param>
    public GroupedData Rollup(params string[] keys) => Rollup(Functions.Cols(keys));

    /// <summary>Groups by all subsets of some keys. Keys that a group does not go by are null.</summary>
    /// <param name="keys">The keys; twelve at most.</param>
    public GroupedData Cube(params Column[] keys) => new(this, keys, GroupingKind.Cube);

    /// <inheritdoc cref="Cube(Column[])"/>
    /// <param name="keys">Names of columns.</param>
    public GroupedData Cube(params string[] keys) => Cube(Functions.Cols(keys));

    /// <summary>Aggregates of all rows: one row.</summary>
    /// <remarks>Lazy, wide.</remarks>
    /// <param name="aggregates">The aggregates.</param>
    public DataFrame Agg(params Column[] aggregates) => GroupBy(Array.Empty<Column>()).Agg(aggregates);
}

/// <summary>Rows in groups, which aggregates make a frame of again: the keys, then the aggregates.</summary>
public sealed class GroupedData
{
    private readonly DataFrame _frame;
    private readonly Column[] _keys;
    private readonly GroupingKind _kind;
    private readonly (Column Column, object?[] Values)? _pivot;

    internal GroupedData(DataFrame frame, Column[] keys, GroupingKind kind)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _frame = frame;
        _keys = keys;
        _kind = kind;
    }

    private GroupedData(GroupedData groups, Column column, object?[] values) : this(groups._frame, groups._keys, groups._kind) => _pivot = (column, values);

    /// <summary>Makes columns of the values of a column: the aggregates that follow give one for each value, over the rows of a group that have it; null where none has.</summary>
    /// <remarks>Lazy if values are given. If not, an action looks them up, of which there may be 10,000 at most.</remarks>
    /// <param name="column">Whose values become columns.</param>
    /// <param name="values">The values, in the order of their columns; none for all there are, in order.</param>
    /// <exception cref="QueryException">It was pivoted before, goes by rollup or cube, or has too many values.</exception>
    public GroupedData Pivot(string column, params object?[] values) => Pivot(Functions.Col(column), values);

    /// <inheritdoc cref="Pivot(string, object[])"/>
    public GroupedData Pivot(Column column, params object?[] values)
    {
        ArgumentNullException.ThrowIfNull(column);
        ArgumentNullException.ThrowIfNull(values);
        if (_pivot is not null || _kind != GroupingKind.Plain)
            throw new QueryException("UNSUPPORTED_FEATURE.REPEATED_PIVOT", "Pivot stands behind GroupBy, and once only. Pivot what this gives in a frame of its own.");
        if (values.Length > 0) return new GroupedData(this, column, values);
        var found = _frame.Select(column.As("value")).Distinct().OrderBy("value").Limit(MostPivotValues + 1).Collect();
        if (found.Count > MostPivotValues)
            throw new QueryException("PIVOT_TOO_MANY_VALUES", $"'{column}' has more than {MostPivotValues:N0} values. Say which of them become columns.");
        return new GroupedData(this, column, [.. found.Select(row => row[0])]);
    }

    private const int MostPivotValues = 10_000;

    /// <summary>Aggregates of each group.</summary>
    /// <remarks>Lazy, wide: what is exchanged is a row for each group and task.</remarks>
    /// <param name="aggregates">Expressions of aggregates: <c>Sum("total").As("revenue")</c>, <c>Max("a") - Min("a")</c>.</param>
    public DataFrame Agg(params Column[] aggregates)
    {
        ArgumentNullException.ThrowIfNull(aggregates);
        if (aggregates.Length == 0) throw new ArgumentException("Agg needs an aggregate. Distinct keys alone are Select(...).Distinct().", nameof(aggregates));
        if (_pivot is var (pivot, values))
        {
            return _frame.With(new SelectSyntax([DataFrame.AllColumns])
            {
                From = new PivotSyntax(
                    _frame.Source, [.. aggregates.Select(column => column.ToItem())], [pivot.Syntax], [.. values.Select(value => new PivotValueSyntax([Column.Of(value).Syntax], null))])
                {
                    Keys = [.. _keys.Select(key => key.Syntax)],
                },
            });
        }
        ValueList<ValueList<ExpressionSyntax>> keys = [.. _keys.Select(key => (ValueList<ExpressionSyntax>)[key.Syntax])];
        ValueList<GroupingElementSyntax> elements = _kind == GroupingKind.Plain ? [.. _keys.Select(key => GroupingElementSyntax.Of(key.Syntax))] : [new GroupingElementSyntax(_kind, keys, [])];
        return _frame.With(new SelectSyntax([.. _keys.Concat(aggregates).Select(column => column.ToItem())])
        {
            From = _frame.Source,
            Grouping = _keys.Length == 0 ? null : new GroupingSyntax(elements),
        });
    }

    /// <summary>How many rows each group has, as <c>count</c>.</summary>
    /// <remarks>Lazy, wide.</remarks>
    public DataFrame Count() => Agg(Functions.Count().As("count"));

    /// <summary>The sum of columns in each group; of all numbers if none is named.</summary>
    /// <remarks>Lazy, wide.</remarks>
    /// <param name="columns">Names of columns.</param>
    public DataFrame Sum(params string[] columns) => Each("sum", columns);

    /// <summary>The average of columns in each group; of all numbers if none is named.</summary>
    /// <remarks>Lazy, wide.</remarks>
    /// <param name="columns">Names of columns.</param>
    public DataFrame Avg(params string[] columns) => Each("avg", columns);

    /// <summary>The smallest value of columns in each group; of all numbers if none is named.</summary>
    /// <remarks>Lazy, wide.</remarks>
    /// <param name="columns">Names of columns.</param>
    public DataFrame Min(params string[] columns) => Each("min", columns);

    /// <summary>The largest value of columns in each group; of all numbers if none is named.</summary>
    /// <remarks>Lazy, wide.</remarks>
    /// <param name="columns">Names of columns.</param>
    public DataFrame Max(params string[] columns) => Each("max", columns);

    private DataFrame Each(string function, string[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var keys = _keys.Select(key => key.ToString()).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (columns.Length == 0) columns = [.. _frame.Schema.Where(field => field.Type.IsNumber && !keys.Contains(field.Name)).Select(field => field.Name)];
        if (columns.Length == 0) throw new QueryException("UNRESOLVED_COLUMN", $"The frame has no number beside the keys to take the {function} of. It has: {_frame.Schema}.");
        return Agg([.. Functions.Cols(columns).Select(column => new Column(new CallSyntax(function, [column.Syntax])))]);
    }
}
