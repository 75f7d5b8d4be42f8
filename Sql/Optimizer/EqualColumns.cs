using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Optimizer;

/// <summary>Columns of several inputs that must be equal, in classes with at most one column of each input.</summary>
/// <param name="owner">The input that each column is of.</param>
internal sealed class EqualColumns(IReadOnlyDictionary<ColumnReference, int> owner)
{
    private readonly List<List<ColumnReference>> _classes = [];
    private readonly List<Expression> _conditions = [];

    /// <summary>Takes an equality of two columns; refuses other conditions, and what would bring two columns of one input together.</summary>
    public bool TryAdd(Expression condition)
    {
        if (condition is not Call { Function.Name: "=", Arguments: [ColumnReference first, ColumnReference second] } || first.Type != second.Type) return false;
        if (owner[first] == owner[second]) return false;
        var mine = ClassOf(first);
        var theirs = ClassOf(second);
        if (mine != theirs)
        {
            if (mine.Any(one => theirs.Any(other => owner[one] == owner[other]))) return false;
            mine.AddRange(theirs);
            _classes.Remove(theirs);
        }
        _conditions.Add(condition);
        if (!_classes.Contains(mine)) _classes.Add(mine);
        return true;
    }

    /// <summary>Whether a condition was taken.</summary>
    public bool Contains(Expression condition) => _conditions.Contains(condition);

    /// <summary>An equality for each class that has columns on both sides: a condition that was taken, if one is between them.</summary>
    public IEnumerable<Expression> Between(ulong left, ulong right)
    {
        foreach (var members in _classes)
        {
            var mine = members.Where(column => (left >> owner[column] & 1) != 0).ToList();
            if (mine.Count == 0) continue;
            var theirs = members.Where(column => (right >> owner[column] & 1) != 0).ToList();
            if (theirs.Count == 0) continue;
            yield return _conditions.Find(condition => condition is Call { Arguments: [ColumnReference first, ColumnReference second] }
                && ((mine.Contains(first) && theirs.Contains(second)) || (theirs.Contains(first) && mine.Contains(second))))
                ?? new Call(Builtins.BuiltinFunctions.Registry.FindScalar("=")!, [mine[0], theirs[0]], DataType.Boolean);
        }
    }

    private List<ColumnReference> ClassOf(ColumnReference column)
    {
        var found = _classes.Find(members => members.Contains(column));
        if (found is null) _classes.Add(found = [column]);
        return found;
    }
}
