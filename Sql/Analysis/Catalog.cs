using System.Collections.Concurrent;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Analysis;

/// <summary>What names in FROM stand for: temporary views, tables that last, and files by format and path. Names are compared without regard to case.</summary>
/// <remarks>Safe for several threads.</remarks>
internal sealed class Catalog
{
    private readonly ConcurrentDictionary<string, Entry> _views = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Opens files of a name such as parquet.`data/orders`: gets format and path, gives null for a format it does not know.</summary>
    public Func<string, string, ITable?>? Files { get; set; }

    /// <summary>Makes the tables of functions in FROM, such as range(10): gets the name in lower case and the arguments, gives null for what it does not know.</summary>
    public Func<string, ValueList<Literal>, ITable?>? TableFunctions { get; set; }

    /// <summary>Tables that last; null for none. Views of their names stand before them.</summary>
    public Warehouse? Warehouse { get; set; }

    /// <summary>All views and tables, by name.</summary>
    public IReadOnlyList<string> Names => [.. _views.Keys.Concat(Warehouse?.Names ?? []).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)];

    /// <summary>All views, by name.</summary>
    public IReadOnlyList<string> ViewNames => [.. _views.Keys.Order(StringComparer.OrdinalIgnoreCase)];

    /// <summary>Gives a plan a name; one of the same name is replaced.</summary>
    /// <param name="name">The name.</param>
    /// <param name="plan">The plan. Every use of the name gets columns of its own.</param>
    public void Set(string name, LogicalPlan plan) => _views[name] = new Entry(WithoutPositions.Of(plan), null);

    /// <summary>Gives a table a name; one of the same name is replaced.</summary>
    public void Set(string name, ITable table) => _views[name] = new Entry(null, table);

    /// <summary>Gives a plan a name, unless there is one of that name.</summary>
    /// <returns>False if there is.</returns>
    public bool TryAdd(string name, LogicalPlan plan) => _views.TryAdd(name, new Entry(WithoutPositions.Of(plan), null));

    /// <summary>Forgets a name.</summary>
    /// <returns>False if there is none.</returns>
    public bool Remove(string name) => _views.TryRemove(name, out _);

    /// <summary>Whether there is such a view.</summary>
    public bool Contains(string name) => _views.ContainsKey(name);

    /// <summary>A plan of what a name stands for, with columns of its own; null if there is none.</summary>
    public LogicalPlan? Find(string name)
    {
        if (!_views.TryGetValue(name, out var entry)) return Warehouse?.Open(name) is { } lasting ? Scan.Of(lasting, name) : null;
        return entry.Table is not null ? Scan.Of(entry.Table, name) : FreshColumns.Copy(entry.Plan!);
    }

    private sealed record Entry(LogicalPlan? Plan, ITable? Table);
}
