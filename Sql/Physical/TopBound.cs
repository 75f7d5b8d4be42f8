using Dataflow.Scheduling;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Joins;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Sources;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>How good the first key of a row must be to come among the first n: known as soon as a task has n rows, and shared by those of an executor.</summary>
internal sealed class TopBound
{
    private readonly Lock _lock = new();
    private volatile ValueBounds? _bounds;

    /// <summary>Values that may come among the first n; null while all may.</summary>
    public ValueBounds? Bounds => _bounds;

    /// <summary>Learns the key of the last of n rows.</summary>
    public void Learn(Int128 value, bool descending)
    {
        lock (_lock)
        {
            if (_bounds is { } known && (descending ? known.Min >= value : known.Max <= value)) return;
            _bounds = descending ? new ValueBounds(value, Int128.MaxValue) : new ValueBounds(Int128.MinValue, value);
        }
    }
}

/// <summary>Where scans find the bound of an order with a limit: beside the shuffle that brings the best rows of all tasks together.</summary>
internal sealed record TopFilterSource : DynamicFilterSource
{
    /// <summary>The shuffle; set when it is made, before any task runs.</summary>
    public ShuffleId? Shuffle { get; set; }

    /// <summary>The bound of the executor.</summary>
    public TopBound? BoundIn(TaskContext context) => Shuffle is { } shuffle
        ? context.Services.State.GetOrCreate(ExecutorState.KeyOf(shuffle, "top"), 0, static () => new TopBound(), LossRule.Rebuild, context: context).Value
        : null;

    public override IDynamicFilter? Open(int field, TaskContext context) => BoundIn(context) is { } bound ? new TopScanFilter(field, bound) : null;

    /// <summary>Whether a first key has bounds that scans understand, and rows without it come last.</summary>
    public static bool Takes(SortOrder order) =>
        order.Key is ColumnReference column && column.Type.Kind != TypeKind.Boolean
        && column.Type.Physical is PhysicalType.Int8 or PhysicalType.Int16 or PhysicalType.Int32 or PhysicalType.Int64 or PhysicalType.Int128
        && (!order.Key.Nullable || !order.NullsFirst);

    /// <summary>Whether rows that are missing in the scans below are only missing in the plan, and change no others.</summary>
    public static bool IsOfSingleRows(PhysicalPlan plan) => plan switch
    {
        ScanExec => true,
        FilterExec or ProjectExec => IsOfSingleRows(plan.Inputs[0]),
        HashJoinExec { IsShared: true, Kind: JoinKind.Inner or JoinKind.Left or JoinKind.Semi or JoinKind.Anti } join => IsOfSingleRows(join.Left),
        _ => false,
    };
}

/// <summary>Leaves out rows of a scan whose key is worse than the bound. Equal ones stay: later keys decide.</summary>
internal sealed unsafe class TopScanFilter(int tableField, TopBound bound) : IDynamicFilter
{
    public int Field => tableField;

    public ValueBounds? Bounds => bound.Bounds;

    public void Apply(ColumnVector values, int rows, ulong* mask)
    {
        if (bound.Bounds is not { } wanted) return;
        if (values.Form == VectorForm.Flat && values.Type.Physical == PhysicalType.Int64)
        {
            Flat((long*)values.Data, (long)Int128.Max(wanted.Min, long.MinValue), (long)Int128.Min(wanted.Max, long.MaxValue), rows, mask);
        }
        else if (values.Form == VectorForm.Flat && values.Type.Physical == PhysicalType.Int32)
        {
            Flat((int*)values.Data, (int)Int128.Max(wanted.Min, int.MinValue), (int)Int128.Min(wanted.Max, int.MaxValue), rows, mask);
        }
        else
        {
            var wide = new WideOperand(values);
            for (var row = 0; row < rows; row++)
            {
                if (wide[row] < wanted.Min || wide[row] > wanted.Max) Bits.Clear(mask, row);
            }
        }
    }

    private static void Flat<T>(T* values, T min, T max, int rows, ulong* mask) where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            if (mask[word] == 0) continue;
            var at = values + (word << 6);
            var count = Math.Min(64, rows - (word << 6));
            var kept = 0UL;
            for (var i = 0; i < count; i++) kept |= (at[i] >= min & at[i] <= max ? 1UL : 0) << i;
            mask[word] &= kept;
        }
    }
}
