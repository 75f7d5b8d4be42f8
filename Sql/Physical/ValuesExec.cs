using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>Rows that stand in the text: one partition.</summary>
/// <param name="Rows">Expressions without columns.</param>
/// <param name="Columns">The columns.</param>
public sealed record ValuesExec(ValueList<ValueList<Expression>> Rows, ValueList<ColumnReference> Columns) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Columns;

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [];

    /// <inheritdoc/>
    public override string Describe() => $"Values {Rows.Count} rows [{Columns}]";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) => new ValuesRdd(run.Context, Rows, Columns.ConvertAll(column => column.Type), run.Scope);
}

/// <summary>Computes rows without input.</summary>
internal sealed class ValuesRdd(DataflowContext context, ValueList<ValueList<Expression>> rows, ValueList<DataType> types, QueryScope scope)
    : Rdd<ColumnBatch>(context, "Values")
{
    public override IReadOnlyList<Dependency> Dependencies => [];

    protected override Partition[] GetPartitions() => [new IndexPartition(0)];

    protected override ChunkReader<ColumnBatch> Compute(Partition partition, TaskContext context) => new BatchChunks(new Reader(rows, types, scope, context));

    private sealed class Reader(ValueList<ValueList<Expression>> rows, ValueList<DataType> types, QueryScope scope, TaskContext context) : BatchReader
    {
        private readonly TaskArena _arena = new(context, "values");
        private RowStore? _store;
        private RowGatherer? _gatherer;
        private int _next;

        public override bool TryNext(out ColumnBatch batch)
        {
            _store ??= Compute();
            _gatherer ??= new RowGatherer(_arena, types);
            batch = _gatherer.Batch;
            var count = Math.Min(ColumnBatch.MaxRows, rows.Count - _next);
            if (count <= 0) return false;
            _gatherer.Gather(_store, Enumerable.Range(_next, count).ToArray());
            _next += count;
            return true;
        }

        public override void Dispose()
        {
            _arena.Dispose();
            base.Dispose();
        }

        private RowStore Compute()
        {
            var store = new RowStore(_arena, types);
            var nothing = new ColumnBatch([]);
            nothing.Set(1);
            foreach (var row in rows)
            {
                using var working = new TaskArena(context, "values");
                var vectors = row.Select(value => ExpressionCompiler.Compile(value, [], scope.In(working)).Evaluate(nothing)).ToArray();
                store.Append(vectors, [0]);
            }
            return store;
        }
    }
}
