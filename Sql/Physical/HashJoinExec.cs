using Dataflow.Shuffle;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Joins;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>
/// Pairs rows of equal keys: the right input becomes a table, the left one goes by it. The table is of all rows of the right, and shared by the tasks
/// of an executor; or of one partition, where both sides were placed by the keys.
/// </summary>
/// <remarks>Without keys all rows match, and the condition alone decides.</remarks>
/// <param name="Kind">Which rows it gives; not <see cref="JoinKind.Right"/>.</param>
/// <param name="Left">The side that goes by.</param>
/// <param name="Right">The side that becomes a table.</param>
/// <param name="LeftKeys">Keys of the left.</param>
/// <param name="RightKeys">Keys of the right, of the same types: columns of it.</param>
/// <param name="Condition">What else must be true of a pair; null for nothing.</param>
/// <param name="IsShared">Whether the table is of all rows of the right.</param>
/// <param name="MarkColumn">The column that <see cref="JoinKind.Mark"/> adds.</param>
public sealed record HashJoinExec(
    JoinKind Kind, PhysicalPlan Left, PhysicalPlan Right, ValueList<Expression> LeftKeys, ValueList<ColumnReference> RightKeys,
    Expression? Condition, bool IsShared, ColumnReference? MarkColumn = null) : PhysicalPlan
{
    /// <summary>For each key, whether nulls are equal to each other (<c>&lt;=&gt;</c>); empty if for none.</summary>
    public ValueList<bool> NullSafeKeys { get; init; } = [];

    /// <summary>For each key, the scans that leave out rows whose key the right side has not; empty if there are none.</summary>
    internal ValueList<DynamicFilterSlot?> Filters { get; init; } = [];

    /// <summary>The columns of pairs that come out, of both sides; null for all.</summary>
    internal ValueList<ColumnReference>? Kept { get; init; }

    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Kind switch
    {
        JoinKind.Inner => [.. KeptOf(Left), .. KeptOf(Right)],
        JoinKind.Left or JoinKind.Single => [.. KeptOf(Left), .. KeptOf(Right).Select(column => column.AsNullable())],
        JoinKind.Full => [.. KeptOf(Left).Concat(KeptOf(Right)).Select(column => column.AsNullable())],
        JoinKind.Mark => [.. Left.Output, MarkColumn!],
        JoinKind.Right => throw new InvalidOperationException("The sides of a right join are changed by the planner. Please report this."),
        _ => Left.Output,
    };

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [Left, Right];

    /// <inheritdoc/>
    public override string Describe() =>
        $"HashJoin {Kind} {(IsShared ? "shared" : "partitioned")} [{LeftKeys}] {(NullSafeKeys.Any(isSafe => isSafe) ? "<=>" : "=")} [{RightKeys}]{(Condition is null ? "" : $" where {Condition}")}";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run)
    {
        // Semi, anti and mark joins make pairs only for the condition to look at.
        ValueList<ColumnReference>? used = Kind is JoinKind.Inner or JoinKind.Left or JoinKind.Single or JoinKind.Full ? Kept : [.. Condition?.References() ?? []];
        var step = new JoinStep(
            Kind, Left.Output, Right.Output, LeftKeys, RightKeys.ConvertAll(key => Planner.PositionOf(Right, key)), Condition, MarkColumn?.Nullable ?? false,
            NullSafeKeys, Filters.ConvertAll(filter => filter is not null), PlacesOf(Left, used), PlacesOf(Right, used), run.Scope);
        if (!IsShared) return new PairOperatorRdd("Join", Left.ToRdd(run), Right.ToRdd(run), new PartedJoin(step));

        // The right first: scans of the left read what it holds.
        var exchange = run.BuildOf(this);
        for (var i = 0; i < Filters.Count; i++)
        {
            if (Filters[i] is { } filter) run.Fill(filter, new JoinFilterSource(exchange.ShuffleId, i));
        }
        return new SharedJoinRdd(Left.ToRdd(run), exchange, step);
    }

    private IEnumerable<ColumnReference> KeptOf(PhysicalPlan side) => Kept is null ? side.Output : side.Output.Where(column => Kept.Contains(column));

    private static ValueList<int> PlacesOf(PhysicalPlan side, ValueList<ColumnReference>? used) =>
        [.. Enumerable.Range(0, side.Output.Count).Where(i => used is null || used.Contains(side.Output[i]))];
}

/// <summary>What a join computes, as it travels to executors.</summary>
internal sealed record JoinStep(
    JoinKind Kind, ValueList<ColumnReference> Left, ValueList<ColumnReference> Right, ValueList<Expression> LeftKeys, ValueList<int> RightKeys,
    Expression? Condition, bool MarksNulls, ValueList<bool> NullSafeKeys, ValueList<bool> Filters, ValueList<int> PairLeft, ValueList<int> PairRight, QueryScope Scope)
{
    /// <summary>What the right becomes.</summary>
    public JoinTableLayout Layout => new(
        [.. Right.Select(column => column.Type)], [.. RightKeys], StrictKeys, [.. Enumerable.Range(0, Filters.Count).Where(key => Filters[key])]);

    /// <summary>Positions of the keys that match nothing where they are null.</summary>
    public int[] StrictKeys => [.. Enumerable.Range(0, RightKeys.Count).Where(key => NullSafeKeys.Count == 0 || !NullSafeKeys[key])];
}

/// <summary>A join with one table of all rows for all tasks of an executor.</summary>
internal sealed class SharedJoinRdd(Rdd<ColumnBatch> left, ExchangeDependency right, JoinStep step) : Rdd<ColumnBatch>(left.Context, "Join")
{
    private readonly OneToOneDependency _left = new(left);

    public override IReadOnlyList<Dependency> Dependencies => [_left, right];

    public override IReadOnlyList<string> PreferredLocations(Partition partition) => left.PreferredLocations(LeftOf(partition));

    // Not the partitions of the left themselves: one of those may name a range of a shuffle, which is not that of the right.
    protected override Partition[] GetPartitions() => [.. left.Partitions.Select(partition => new CompositePartition(partition.Index, [partition, null]))];

    protected override ChunkReader<ColumnBatch> Compute(Partition partition, TaskContext context)
    {
        // The table first: scans of the left ask it what they need not read.
        var table = TableOf(context);
        return new BatchChunks(new JoinReader(step, BatchChunks.Open(left, LeftOf(partition), context), table, null, context));
    }

    private static Partition LeftOf(Partition partition) => ((CompositePartition)partition).Parents[0]!;

    private JoinTable TableOf(TaskContext context)
    {
        var state = context.Services.State;
        var key = JoinFilterSource.KeyOf(right.ShuffleId);
        var table = state.GetOrCreate(key, 0, () => Begin(context), LossRule.Rebuild, context: context).Value;
        try
        {
            table.Build(context.CancellationToken);
            return table;
        }
        catch when (!context.CancellationToken.IsCancellationRequested)
        {
            // Who tries again begins anew.
            state.Remove(key);
            throw;
        }
    }

    private JoinTable Begin(TaskContext context)
    {
        var arena = TaskArena.OfShared(context, "join table");
        try
        {
            var input = ShuffleInput.Open(right.ShuffleId, new ShuffleReadPartition(0, 0, right.ReducePartitions), context);
            InputSegment[] segments = [.. Enumerable.Range(0, right.ReducePartitions).SelectMany(input.Segments)];
            return new JoinTable(BuildFrames.Of(segments, right.Types, arena, context), step.Layout, arena, Math.Min(Environment.ProcessorCount, 8));
        }
        catch
        {
            arena.Dispose();
            throw;
        }
    }
}

/// <summary>A join of partitions that hold the same keys.</summary>
internal sealed class PartedJoin(JoinStep step) : PairOperator
{
    public override BatchReader Open(Func<BatchReader> left, Func<BatchReader> right, TaskContext context) => new PartedJoinReader(step, left, right, context);
}
