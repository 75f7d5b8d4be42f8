using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;

namespace Dataflow.Streaming.Execution;

/// <summary>A part of a plan that placed its rows, and keeps them where they are.</summary>
internal interface IPlacesRows
{
    /// <summary>Where they lie; null if its columns do not say.</summary>
    RowPlace? Place { get; }
}

/// <summary>In which partition rows lie: by the hash of keys, in this order. Who would place them there again need not.</summary>
/// <param name="Keys">Of each key the columns that hold it. Only columns: what is computed again may have another value, where it goes by the clock.</param>
/// <param name="Partitions">Of how many partitions.</param>
internal sealed record RowPlace(ValueList<ValueList<ColumnReference>> Keys, int Partitions)
{
    /// <summary>Where the rows of a plan lie; null if nothing is known of it.</summary>
    public static RowPlace? Of(PhysicalPlan plan) => plan switch
    {
        IPlacesRows placed => placed.Place,
        FilterExec filter => Of(filter.Input),
        ObserveExec observe => Of(observe.Input),
        ProjectExec project => Of(project.Input)?.Through(project.Items),
        PartialAggregateExec groups => Of(groups.Input)?.Through(groups.Keys),
        _ => null,
    };

    /// <summary>By a column each.</summary>
    public static RowPlace By(IEnumerable<ColumnReference> keys, int partitions) => new([.. keys.Select(key => (ValueList<ColumnReference>)[key])], partitions);

    /// <summary>Whether rows of these keys lie where their hash says.</summary>
    public bool IsBy(ValueList<ColumnReference> keys, int partitions) =>
        partitions == Partitions && (partitions == 1 || (keys.Count == Keys.Count && Keys.Zip(keys).All(pair => pair.First.Contains(pair.Second))));

    // Keys under the names that they have from then on; null if one has none.
    private RowPlace? Through(ValueList<NamedExpression> items)
    {
        var keys = Keys.ConvertAll(key => (ValueList<ColumnReference>)[.. items.Where(item => item.Value is ColumnReference column && key.Contains(column)).Select(item => item.Column)]);
        return Partitions > 1 && keys.Any(key => key.Count == 0) ? null : this with { Keys = keys };
    }
}
