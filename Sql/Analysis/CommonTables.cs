using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>Names of WITH: those of a query, and behind them those of the queries around it.</summary>
/// <param name="name">A name.</param>
/// <param name="definition">What it stands for.</param>
/// <param name="around">The names before it.</param>
internal sealed class CommonTables(string name, CommonDefinition? definition, CommonTables? around)
{
    /// <summary>No names.</summary>
    public static CommonTables None { get; } = new("", null, null);

    /// <summary>All names, nearest first.</summary>
    public IEnumerable<string> Names
    {
        get
        {
            for (var at = this; at?._definition is not null; at = at._around) yield return at._name;
        }
    }

    private readonly string _name = name;
    private readonly CommonDefinition? _definition = definition;
    private readonly CommonTables? _around = around;

    /// <summary>These and one more.</summary>
    public CommonTables With(CommonDefinition added) => new(added.Name, added, this);

    /// <summary>A use of a name, with columns of its own; null if there is no such name. What reads columns of queries around it is not shared but copied.</summary>
    public LogicalPlan? Find(string name)
    {
        for (var at = this; at?._definition is { } definition; at = at._around)
        {
            if (!string.Equals(at._name, name, StringComparison.OrdinalIgnoreCase)) continue;
            if (OuterReferences.Any(definition.Plan)) return FreshColumns.Copy(definition.Plan);
            return new CommonTable(
                definition, definition.Plan.Output.ConvertAll(column => new ColumnReference(column.Name, column.Type, column.Nullable) { Qualifier = at._name }));
        }
        return null;
    }
}
