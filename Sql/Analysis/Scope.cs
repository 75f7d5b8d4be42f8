using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>A column that names can mean.</summary>
/// <param name="Column">The column, under the name that it has here.</param>
/// <param name="Qualifier">The table or alias that may stand before it; null for none.</param>
/// <param name="IsMerged">Whether USING put another in its place: it answers to its table's name only, and * leaves it out.</param>
internal sealed record ScopeColumn(ColumnReference Column, string? Qualifier, bool IsMerged = false)
{
    /// <summary>How errors call it.</summary>
    public string Display => Qualifier is null ? Column.Name : $"{Qualifier}.{Column.Name}";
}

/// <summary>The columns that names of a SELECT can mean, and those of the queries around it.</summary>
/// <param name="columns">The columns, in the order of *.</param>
/// <param name="outer">The scope of the query around; null at the top.</param>
internal sealed class Scope(IReadOnlyList<ScopeColumn> columns, Scope? outer = null)
{
    private Dictionary<string, List<ScopeColumn>>? _byName;

    /// <summary>The columns.</summary>
    public IReadOnlyList<ScopeColumn> Columns { get; } = columns;

    /// <summary>The scope of the query around.</summary>
    public Scope? Outer { get; } = outer;

    /// <summary>The columns of a plan under a name.</summary>
    public static Scope Of(LogicalPlan plan, string? qualifier, Scope? outer) => new([.. plan.Output.Select(column => new ScopeColumn(column, qualifier))], outer);

    /// <summary>The columns that a name can mean here, without the scopes around.</summary>
    public IReadOnlyList<ScopeColumn> Find(ValueList<string> parts)
    {
        if (parts.Count > 2) return [];
        if (!ByName.TryGetValue(parts[^1], out var named)) return [];
        var found = parts.Count == 1
            ? named.FindAll(column => !column.IsMerged)
            : named.FindAll(column => string.Equals(column.Qualifier, parts[0], StringComparison.OrdinalIgnoreCase));
        // The same column twice is no riddle: SELECT a FROM (SELECT a, a FROM t).
        return found.Count > 1 && found.TrueForAll(column => column.Column == found[0].Column) ? [found[0]] : found;
    }

    /// <summary>All columns of a table or alias.</summary>
    public IReadOnlyList<ScopeColumn> Of(string qualifier) =>
        [.. Columns.Where(column => string.Equals(column.Qualifier, qualifier, StringComparison.OrdinalIgnoreCase))];

    private Dictionary<string, List<ScopeColumn>> ByName
    {
        get
        {
            if (_byName is not null) return _byName;
            _byName = new Dictionary<string, List<ScopeColumn>>(StringComparer.OrdinalIgnoreCase);
            foreach (var column in Columns)
            {
                if (!_byName.TryGetValue(column.Column.Name, out var list)) _byName[column.Column.Name] = list = [];
                list.Add(column);
            }
            return _byName;
        }
    }
}
