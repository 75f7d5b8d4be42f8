using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>
/// GROUP BY as a plan: an <see cref="Aggregate"/>; with several grouping sets over an <see cref="Expand"/> that repeats each row for each set, with the
/// keys that are not in the set null and the set's id beside them.
/// </summary>
internal sealed class GroupingPlan
{
    private readonly LogicalPlan _input;
    private readonly IReadOnlyList<NamedExpression> _keys;
    private readonly IReadOnlyList<bool[]>? _sets;
    private readonly ColumnReference _id = new("grouping_id", DataType.BigInt, false);
    private readonly List<(GroupingCall Call, ColumnReference Column, Func<bool[], Literal> Value)> _groupings = [];

    /// <summary>A grouping.</summary>
    /// <param name="input">The rows.</param>
    /// <param name="keys">The keys, none twice, with their names.</param>
    /// <param name="sets">For each grouping set which keys are in it; null where there is but one.</param>
    public GroupingPlan(LogicalPlan input, IReadOnlyList<(Expression Key, string Name)> keys, IReadOnlyList<bool[]>? sets)
    {
        _input = input;
        _sets = sets;
        _keys =
        [
            .. keys.Select(key => sets is not null
                ? new NamedExpression(key.Key, new ColumnReference(key.Name, key.Key.Type, key.Key.Nullable || sets.Any(set => set.Contains(false))))
                : key.Key is ColumnReference column ? NamedExpression.Pass(column) : NamedExpression.New(key.Key, key.Name)),
        ];
    }

    /// <summary>The keys and the columns that hold them.</summary>
    public IReadOnlyDictionary<Expression, ColumnReference> Keys => _keys.ToDictionary(key => key.Value, key => key.Column);

    /// <summary>Whether there are grouping sets.</summary>
    public bool HasSets => _sets is not null;

    /// <summary>The column that holds <c>grouping(key)</c> or <c>grouping_id(keys)</c>; null if one of them is no key.</summary>
    public Expression? Grouping(GroupingCall call)
    {
        if (call.IsId && call.Columns.Count == 0) return _id;
        // Equal calls are one column, so that ORDER BY finds what is selected.
        if (_groupings.Find(grouping => grouping.Call == call) is { Column: { } known }) return known;
        var places = call.Columns.ConvertAll(column => Enumerable.Range(0, _keys.Count).FirstOrDefault(i => _keys[i].Value.Equals(column), -1));
        if (places.Contains(-1)) return null;
        var result = new ColumnReference(call.IsId ? "grouping_id" : "grouping", call.Type, false);
        _groupings.Add((call, result, set =>
        {
            var id = places.Aggregate(0L, (sum, place) => (sum * 2) + (set[place] ? 0 : 1));
            return call.IsId ? new Literal(id, DataType.BigInt) : new Literal((sbyte)id, DataType.TinyInt);
        }));
        return result;
    }

    /// <summary>The plan.</summary>
    public LogicalPlan Build(IReadOnlyList<NamedExpression> aggregates)
    {
        if (_sets is null) return new Aggregate([.. _keys], [.. aggregates], _input);
        // Only what aggregates read has to be repeated.
        var isOpen = aggregates.Any(aggregate => aggregate.Value.Parts().Any(part => part is SubqueryExpression));
        var read = aggregates.SelectMany(aggregate => aggregate.Value.References()).Select(column => column.Id).ToHashSet();
        var passed = _input.Output.Where(column => isOpen || read.Contains(column.Id)).ToArray();
        // The same set twice gives its groups twice.
        var place = _sets.Select(set => string.Concat(set.Select(isIn => isIn ? '1' : '0'))).Distinct().Count() < _sets.Count
            ? new ColumnReference("grouping_place", DataType.Int, false)
            : null;
        ColumnReference[] added = [_id, .. place is null ? [] : new[] { place }, .. _groupings.Select(grouping => grouping.Column)];
        var lists = _sets.Select((set, number) => (ValueList<Expression>)
        [
            .. passed,
            .. _keys.Select((key, i) => set[i] ? key.Value : Literal.NullOf(key.Value.Type)),
            new Literal(set.Aggregate(0L, (id, isIn) => (id * 2) + (isIn ? 0 : 1)), DataType.BigInt),
            .. place is null ? Array.Empty<Expression>() : [new Literal(number, DataType.Int)],
            .. _groupings.Select(grouping => grouping.Value(set)),
        ]);
        var expand = new Expand([.. lists], [.. passed, .. _keys.Select(key => key.Column), .. added], _input);
        return new Aggregate([.. _keys.Select(key => NamedExpression.Pass(key.Column)), .. added.Select(NamedExpression.Pass)], [.. aggregates], expand);
    }
}

/// <summary><c>grouping(column)</c> or <c>grouping_id(columns)</c>, until <see cref="AggregateSplitter"/> puts a column in its place.</summary>
/// <param name="Columns">The grouping columns; none for all.</param>
/// <param name="IsId">Whether it is <c>grouping_id</c>.</param>
internal sealed record GroupingCall(ValueList<Expression> Columns, bool IsId) : Expression
{
    /// <inheritdoc/>
    public override DataType Type => IsId ? DataType.BigInt : DataType.TinyInt;

    /// <inheritdoc/>
    public override bool Nullable => false;

    /// <inheritdoc/>
    public override ValueList<Expression> Children => Columns;

    /// <inheritdoc/>
    public override Expression WithChildren(ValueList<Expression> children) => this with { Columns = children };
}
