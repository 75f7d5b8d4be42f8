using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Rows;
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
/// <param name="RightKeys">Keys of the right, of the same types.</param>
/// <param name="Condition">What else must be true of a pair; null for nothing.</param>
/// <param name="IsShared">Whether the table is of all rows of the right.</param>
/// <param name="MarkColumn">The column that <see cref="JoinKind.Mark"/> adds.</param>
public sealed record HashJoinExec(
    JoinKind Kind, PhysicalPlan Left, PhysicalPlan Right, ValueList<Expression> LeftKeys, ValueList<Expression> RightKeys,
    Expression? Condition, bool IsShared, ColumnReference? MarkColumn = null) : PhysicalPlan
{
    /// <summary>For each key, whether nulls are equal to each other (<c>&lt;=&gt;</c>); empty if for none.</summary>
    public ValueList<bool> NullSafeKeys { get; init; } = [];

    /// <summary>How keys of known ranges lie in the table; null if none are known.</summary>
    internal KeyLayout? Layout { get; init; }

    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output { get; } = Kind switch
    {
        JoinKind.Inner => [.. Left.Output, .. Right.Output],
        JoinKind.Left or JoinKind.Single => [.. Left.Output, .. Right.Output.Select(column => column.AsNullable())],
        JoinKind.Full => [.. Left.Output.Concat(Right.Output).Select(column => column.AsNullable())],
        JoinKind.Mark => [.. Left.Output, MarkColumn!],
        JoinKind.Right => throw new ArgumentException("The sides of a right join are changed by the planner.", nameof(Kind)),
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
        var step = new JoinStep(
            Kind, Left.Output, Right.Output, LeftKeys, RightKeys, Condition, MarkColumn?.Nullable ?? false, NullSafeKeys, Layout, run.Scope);
        if (!IsShared) return new PartitionedJoinRdd(Left.ToRdd(run), Right.ToRdd(run), step);
        var exchange = run.Exchange(Right.ToRdd(run), Right.Output.ConvertAll(column => column.Type), new SingleDistribution());
        return new SharedJoinRdd(Left.ToRdd(run), exchange, step);
    }
}

/// <summary>What a join computes, as it travels to executors.</summary>
internal sealed record JoinStep(
    JoinKind Kind, ValueList<ColumnReference> Left, ValueList<ColumnReference> Right, ValueList<Expression> LeftKeys, ValueList<Expression> RightKeys,
    Expression? Condition, bool MarksNulls, ValueList<bool> NullSafeKeys, KeyLayout? Layout, QueryScope Scope)
{
    /// <summary>The keys among some vectors of keys that match nothing where they are null.</summary>
    public T[] Strict<T>(T[] keys) => NullSafeKeys.Count == 0 ? keys : [.. keys.Where((_, i) => !NullSafeKeys[i])];

    /// <summary>Puts rows into a table.</summary>
    /// <param name="rows">The rows; disposed.</param>
    /// <param name="arena">The memory of the table, which owns it.</param>
    /// <param name="context">The task.</param>
    public JoinTable Build(BatchReader rows, TaskArena arena, TaskContext context)
    {
        using var working = new TaskArena(context, "join build");
        var table = new JoinTable(arena, RightKeys.ConvertAll(key => key.Type), Right.Select(column => column.Type), keepsNullKeys: Kind == JoinKind.Full, Layout);
        try
        {
            var keys = RightKeys.Select(key => ExpressionCompiler.Compile(key, Right, Scope.In(working))).ToArray();
            var vectors = new ColumnVector[keys.Length];
            while (rows.TryNext(out var batch))
            {
                for (var i = 0; i < keys.Length; i++) vectors[i] = keys[i].Evaluate(batch);
                table.Add(vectors, NullSafeKeys.Count == 0 ? vectors : Strict(vectors), batch.Columns, batch.Selection);
            }
            return table;
        }
        catch
        {
            table.Dispose();
            throw;
        }
    }
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
        var table = context.Services.State.GetOrCreate(
            ExecutorState.KeyOf(right.ShuffleId, "join"), 0, () => Build(context), LossRule.Rebuild, context: context).Value;
        return new BatchChunks(new JoinReader(step, BatchChunks.Open(left, LeftOf(partition), context), table, null, context));
    }

    private static Partition LeftOf(Partition partition) => ((CompositePartition)partition).Parents[0]!;

    private JoinTable Build(TaskContext context)
    {
        using var rows = ExchangeRdd.Open(right, new ShuffleReadPartition(0, 0, 1), context);
        return step.Build(rows, TaskArena.OfShared(context, "join table"), context);
    }
}

/// <summary>A join of partitions that hold the same keys.</summary>
internal sealed class PartitionedJoinRdd(Rdd<ColumnBatch> left, Rdd<ColumnBatch> right, JoinStep step) : Rdd<ColumnBatch>(left.Context, "Join")
{
    private readonly OneToOneDependency _left = new(left);
    private readonly OneToOneDependency _right = new(right);

    public override IReadOnlyList<Dependency> Dependencies => [_left, _right];

    protected override Partition[] GetPartitions() =>
        [.. left.Partitions.Zip(right.Partitions, (mine, theirs) => new CompositePartition(mine.Index, [mine, theirs]))];

    protected override ChunkReader<ColumnBatch> Compute(Partition partition, TaskContext context)
    {
        var both = (CompositePartition)partition;
        JoinTable table;
        using (var rows = BatchChunks.Open(right, both.Parents[1]!, context)) table = step.Build(rows, new TaskArena(context, "join table"), context);
        return new BatchChunks(new JoinReader(step, BatchChunks.Open(left, both.Parents[0]!, context), table, table, context));
    }
}
