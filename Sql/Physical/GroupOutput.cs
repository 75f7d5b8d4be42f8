using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Physical;

/// <summary>Vectors in which groups are given, a batch at a time.</summary>
internal sealed class GroupOutput
{
    /// <param name="arena">Memory.</param>
    /// <param name="keys">Types of the keys.</param>
    /// <param name="calls">The aggregates.</param>
    /// <param name="givesValues">Whether values are asked for, and not only states.</param>
    public GroupOutput(TaskArena arena, ValueList<DataType> keys, ValueList<AggregateCall> calls, bool givesValues)
    {
        Heap = new TextHeap(arena);
        Keys = [.. keys.Select(type => new FlatVector(arena, type))];
        States = [.. calls.Select(call => call.Function.StateTypes(call).Select(type => new FlatVector(arena, type)).ToArray())];
        Values = givesValues ? [.. calls.Select(call => new FlatVector(arena, call.Result))] : [];
        StateBatch = new ColumnBatch([.. Keys.Concat(States.SelectMany(vectors => vectors)).Select(vector => vector.Vector)]);
        ValueBatch = new ColumnBatch([.. Keys.Concat(Values).Select(vector => vector.Vector)]);
    }

    public FlatVector[] Keys { get; }

    public FlatVector[][] States { get; }

    public FlatVector[] Values { get; }

    public TextHeap Heap { get; }

    public ColumnBatch StateBatch { get; }

    public ColumnBatch ValueBatch { get; }

    /// <summary>Of the rows of a batch the numbers of their groups.</summary>
    public int[] Numbers { get; } = new int[ColumnBatch.MaxRows];

    /// <summary>Which groups are given.</summary>
    public int[] Rows { get; } = new int[ColumnBatch.MaxRows];
}
