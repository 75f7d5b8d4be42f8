using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>Gives GROUP BY its meaning: keys by expression, ordinal or alias, and the sets that ROLLUP, CUBE and GROUPING SETS make of them.</summary>
/// <param name="context">For errors.</param>
/// <param name="scope">The columns of FROM.</param>
/// <param name="items">The select list.</param>
/// <param name="bind">Binds a key.</param>
internal sealed class GroupingBinder(BindingContext context, Scope scope, IReadOnlyList<SelectItem> items, Func<ExpressionSyntax, Expression> bind)
{
    // CUBE of twelve.
    private const int MaxSets = 4096;

    private readonly List<(Expression Key, string Name)> _keys = [];

    /// <summary>Binds it.</summary>
    /// <param name="grouping">GROUP BY; null for one group of all rows.</param>
    /// <param name="input">Gives the rows, as soon as all keys are known.</param>
    public GroupingPlan Bind(GroupingSyntax? grouping, Func<LogicalPlan> input)
    {
        if (grouping is null) return new GroupingPlan(input(), [], null);
        if (grouping.IsAll && !IsColumn(grouping.Elements[0]))
        {
            foreach (var item in items)
            {
                if (!item.Value.Parts().Any(part => part is AggregateCall or GroupingCall) && !IsConstant(item.Value)) PlaceOf(item.Value, item.Name);
            }
            return new GroupingPlan(input(), _keys, null);
        }
        List<int[]> sets = [[]];
        foreach (var element in grouping.Elements)
        {
            var more = Sets(element);
            if (sets.Count * more.Count > MaxSets) throw TooMany();
            sets = [.. sets.SelectMany(set => more.Select(other => (int[])[.. set, .. other]))];
        }
        var isPlain = grouping.Elements.All(element => element.Kind == GroupingKind.Plain);
        if (isPlain) return new GroupingPlan(input(), _keys, null);
        return new GroupingPlan(input(), _keys, [.. sets.Select(set => Enumerable.Range(0, _keys.Count).Select(place => Array.IndexOf(set, place) >= 0).ToArray())]);
    }

    private QueryException TooMany() => context.Error("TOO_MANY_GROUPING_SETS", $"GROUP BY makes more than {MaxSets} grouping sets.", -1);

    private List<int[]> Sets(GroupingElementSyntax element)
    {
        var parts = element.Sets.Select(set => set.Select(Key).ToArray()).ToArray();
        switch (element.Kind)
        {
            case GroupingKind.Rollup:
                return [.. Enumerable.Range(0, parts.Length + 1).Select(left => parts.Take(parts.Length - left).SelectMany(part => part).ToArray())];
            case GroupingKind.Cube:
                if (parts.Length > 12) throw TooMany();
                return
                [
                    .. Enumerable.Range(0, 1 << parts.Length)
                        .Select(missing => parts.Where((_, i) => (missing & (1 << (parts.Length - 1 - i))) == 0).SelectMany(part => part).ToArray()),
                ];
            case GroupingKind.Sets:
                var all = element.Nested.SelectMany(Sets).ToList();
                return all.Count > MaxSets ? throw TooMany() : all;
            default:
                return [parts[0]];
        }
    }

    private int Key(ExpressionSyntax syntax)
    {
        if (Ordinal.Read(syntax, items.Count, "GROUP_BY_POS_OUT_OF_RANGE", "GROUP BY", context) is { } place)
        {
            var item = items[place];
            if (item.Value.Parts().Any(part => part is AggregateCall))
            {
                throw context.Error(
                    "GROUP_BY_POS_AGGREGATE",
                    $"GROUP BY {place + 1}: '{item.Name}' is an aggregate.",
                    syntax.Position);
            }
            return PlaceOf(item.Value, item.Name);
        }
        var key = bind(syntax);
        if (key.Parts().Any(part => part is AggregateCall or WindowExpression))
        {
            throw context.Error(
                "GROUP_BY_AGGREGATE",
                $"'{SyntaxText.NameOf(syntax)}' is computed from groups: it can't make them.",
                syntax.Position);
        }
        if (!TypeCoercion.IsOrdered(key.Type)) throw context.Error("GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE", $"Values of {key.Type} can't be grouped.", syntax.Position);
        return PlaceOf(key, SyntaxText.NameOf(syntax));
    }

    private int PlaceOf(Expression key, string name)
    {
        var place = _keys.FindIndex(each => each.Key.Equals(key));
        if (place >= 0) return place;
        _keys.Add((key, key is ColumnReference column ? scope.Columns.FirstOrDefault(each => each.Column == column)?.Column.Name ?? name : name));
        return _keys.Count - 1;
    }

    /// <summary>Whether there is a column, or an alias, that is called ALL.</summary>
    private bool IsColumn(GroupingElementSyntax all) => all.Sets[0][0] is NameSyntax name
        && (scope.Find(name.Parts).Count > 0 || items.Any(item => string.Equals(item.Alias, name.Parts[0], StringComparison.OrdinalIgnoreCase)));

    private static bool IsConstant(Expression expression) => expression is Literal;
}
