using System.Globalization;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Streaming.Execution;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>A part of a plan that keeps something from batch to batch.</summary>
/// <param name="Operator">Its number among the operators of the query that do.</param>
internal abstract record StatePlan(int Operator) : LogicalPlan
{
    /// <summary>The batch that is computed; null in a plan that stands for all.</summary>
    public StateBatch? Batch { get; init; }

    /// <summary>Which rows it gives.</summary>
    public OutputMode Mode { get; init; } = OutputMode.Append;

    /// <summary>What must stay as it is from start to start, as text.</summary>
    public abstract string Shape { get; }

    /// <summary>What its state is.</summary>
    /// <param name="names">What the query calls columns.</param>
    public abstract StateDescription Describe(StateNames names);

    /// <summary>Whether all its state is in one partition.</summary>
    public virtual bool IsSingle => false;

    /// <summary>Whether rows come to it from something else with state.</summary>
    public bool IsBehindState => Inputs.Any(input => input.Parts().Any(part => part is StatePlan));

    /// <summary>How long the spans of times are that its state lies in, in microseconds; 0 where state has none.</summary>
    public virtual long[] Spans => [];

    /// <summary>The same over state that lies in other spans: what a checkpoint has stays where it is, also where it would be cut otherwise now.</summary>
    /// <param name="spans">As <see cref="Spans"/>.</param>
    public virtual StatePlan WithSpans(long[] spans) => this;

    /// <summary>Which rows of its inputs come too late, as conditions over these, at a watermark of the batch before; none if no row ever does.</summary>
    public virtual IEnumerable<(LogicalPlan Input, Expression IsLate)> LateRows(long watermark) => [];

    /// <summary>Whether it gives or forgets something when the watermark moves, also in a batch without rows.</summary>
    public abstract bool WaitsForWatermark { get; }
}

/// <summary>What tasks need to know of a batch. Travels to executors.</summary>
/// <param name="Number">The batch.</param>
/// <param name="Name">What the partitions' states are called in executors.</param>
/// <param name="Folder">Where this operator's files lie.</param>
/// <param name="Chains">By partition: the files that make its state before the batch, the oldest first.</param>
/// <param name="Watermark">What ended before is final; <see cref="long.MinValue"/> if nothing is.</param>
/// <param name="LateWatermark">Rows of what ended before it come too late: the watermark; behind something else with state that of the batch before, as that gives now what is final now.</param>
/// <param name="IsSnapshot">Whether the whole state is written, not only what changed.</param>
/// <param name="Figures">What is counted.</param>
internal sealed record StateBatch(
    long Number, string Name, string Folder, string[][] Chains, long Watermark, long LateWatermark, bool IsSnapshot, StateFigures Figures)
{
    /// <summary>What state looked like in earlier starts, as <see cref="StatePlan.Shape"/>.</summary>
    public string[] Earlier { get; init; } = [];

    /// <summary>Whether files are on the disk before they count: what goes with the process need not be.</summary>
    public bool IsDurable { get; init; } = true;

    /// <summary>Bytes of memory that the state of a partition should not take more of, where it can be put away.</summary>
    public long MostBytes { get; init; } = long.MaxValue;

    /// <summary>What is known of the watermark of the next batch; null if nothing is.</summary>
    public NextWatermark? Next { get; init; }

    /// <summary>How many partitions there are.</summary>
    public int Partitions => Chains.Length;

    /// <summary>Brings rows of equal keys to their partition of state, if they do not lie there already. Partitions stay what they are: the exchange is read as it was written, whatever its sizes.</summary>
    /// <param name="input">The rows.</param>
    /// <param name="keys">Positions of the keys; all rows come to one partition if there are none.</param>
    /// <param name="run">The run of the batch.</param>
    public Rdd<ColumnBatch> Place(PhysicalPlan input, ValueList<int> keys, QueryRun run)
    {
        if (RowPlace.Of(input) is { } place && place.IsBy(keys.ConvertAll(key => input.Output[key]), Partitions)) return input.ToRdd(run);
        Distribution distribution = keys.Count == 0 ? new SingleDistribution() : new HashDistribution(keys, Partitions);
        return new ExchangeRdd(run.Exchange(input.ToRdd(run), input.Output.ConvertAll(column => column.Type), distribution), []);
    }
}

/// <summary>What is counted of an operator in a batch.</summary>
/// <param name="Rows">Rows or groups in state after it.</param>
/// <param name="Updated">Those that it added or changed.</param>
/// <param name="Removed">Those that it forgot.</param>
/// <param name="Late">Rows or groups that came too late.</param>
/// <param name="LateRight">Those of them that came from the right side of a join.</param>
/// <param name="NextEnd">When the earliest of what waits to be given is final: the watermark in microseconds; <see cref="long.MaxValue"/> if nothing waits.</param>
/// <param name="Due">Microseconds since 1970: when it wants a batch, rows or no rows; <see cref="long.MaxValue"/> if it does not.</param>
/// <param name="Files">The files that tasks wrote which have succeeded; what others left does not count.</param>
internal sealed record StateFigures(
    Counter Rows, Counter Updated, Counter Removed, Counter Late, Counter LateRight, MergingAccumulator<long> NextEnd, MergingAccumulator<long> Due, CollectionAccumulator<string> Files)
{
    public static StateFigures Of(DataflowContext context, int @operator)
    {
        var name = $"state {@operator.ToString(CultureInfo.InvariantCulture)}";
        return new(context.Counter($"{name} rows"), context.Counter($"{name} updated"), context.Counter($"{name} removed"), context.Counter($"{name} late"),
            context.Counter($"{name} late of the right side"),
            context.Accumulator($"{name} next end", long.MaxValue, Math.Min), context.Accumulator($"{name} due", long.MaxValue, Math.Min), context.CollectionAccumulator<string>($"{name} files"));
    }

    /// <summary>Counts from 0 again.</summary>
    public void Reset()
    {
        foreach (var counter in (Counter[])[Rows, Updated, Removed, Late, LateRight]) counter.Reset();
        NextEnd.Reset();
        Due.Reset();
        Files.Reset();
    }
}
