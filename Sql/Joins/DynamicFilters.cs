using Dataflow.Scheduling;
using Dataflow.Sql.Sources;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Sql.Joins;

/// <summary>A place in a plan for a filter that a scan will have while the query runs: named by the scan, filled by who makes the filter.</summary>
/// <param name="name">How plans show it.</param>
internal sealed class DynamicFilterSlot(string name)
{
    public override string ToString() => name;
}

/// <summary>Where a task finds a dynamic filter. It travels with the scan.</summary>
internal abstract record DynamicFilterSource
{
    /// <summary>The filter; null if there is none now.</summary>
    /// <param name="field">The field of the table that it is about.</param>
    /// <param name="context">The task.</param>
    public abstract IDynamicFilter? Open(int field, TaskContext context);
}

/// <summary>The filter of a join's shared table: the values that a key of it has.</summary>
/// <param name="Shuffle">The exchange that the table is made of.</param>
/// <param name="Key">Which key.</param>
internal sealed record JoinFilterSource(ShuffleId Shuffle, int Key) : DynamicFilterSource
{
    /// <summary>Under which key executors keep the table.</summary>
    public static string KeyOf(ShuffleId shuffle) => ExecutorState.KeyOf(shuffle, "join");

    public override IDynamicFilter? Open(int field, TaskContext context) =>
        context.Services.State.TryGet<JoinTable>(KeyOf(Shuffle), context)?.Value.SetOf(Key) is { } values ? new JoinFilter(field, values) : null;
}
