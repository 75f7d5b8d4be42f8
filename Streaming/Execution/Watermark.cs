using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Execution;

/// <summary>Says which column has the time of what happened. Rows go through as they are; their latest time is noted.</summary>
/// <param name="Column">The time.</param>
/// <param name="DelayMicroseconds">How late rows may come.</param>
/// <param name="Input">The rows.</param>
internal sealed record Watermark(ColumnReference Column, long DelayMicroseconds, LogicalPlan Input) : LogicalPlan
{
    /// <summary>Its number among the watermarks of a query.</summary>
    public int Number { get; init; }

    /// <summary>Where the latest time of a batch is noted; null where nobody asks.</summary>
    public MergingAccumulator<long>? Latest { get; init; }

    public override ValueList<ColumnReference> Output => Input.Output;

    public override ValueList<LogicalPlan> Inputs => [Input];

    public override IEnumerable<Expression> Expressions => [Column];

    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Input = inputs[0] };

    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this with { Column = (ColumnReference)map(Column) };

    public override bool PassesColumns => true;

    public override string Describe() => $"Watermark {Column} less {TimeSpan.FromMicroseconds(DelayMicroseconds)}";
}

/// <summary>Counts the rows of a source.</summary>
/// <param name="Rows">Where.</param>
/// <param name="Input">The rows.</param>
internal sealed record CountedInput(Counter Rows, LogicalPlan Input) : LogicalPlan
{
    public override ValueList<ColumnReference> Output => Input.Output;

    public override ValueList<LogicalPlan> Inputs => [Input];

    public override IEnumerable<Expression> Expressions => [];

    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Input = inputs[0] };

    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this;

    public override string Describe() => "CountedInput";
}

/// <summary>Lets rows through, and notes how many there are or their latest time.</summary>
/// <param name="Name">What it shows as.</param>
/// <param name="Rows">Where rows are counted; null for nowhere.</param>
/// <param name="Latest">Where the latest time is noted; null for nowhere.</param>
/// <param name="Position">The column of the time.</param>
/// <param name="Input">The rows.</param>
internal sealed record ObserveExec(string Name, Counter? Rows, MergingAccumulator<long>? Latest, int Position, PhysicalPlan Input) : PhysicalPlan
{
    public override ValueList<ColumnReference> Output => Input.Output;

    public override ValueList<PhysicalPlan> Inputs => [Input];

    public override string Describe() => Name;

    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) => new OperatorRdd("Observe", Input.ToRdd(run), new Step(Rows, Latest, Position));

    private sealed class Step(Counter? rows, MergingAccumulator<long>? latest, int position) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(input, rows, latest, position);
    }

    private sealed unsafe class Reader(BatchReader input, Counter? rows, MergingAccumulator<long>? latest, int position) : BatchReader
    {
        private long _count;
        private long _latest = long.MinValue;

        public override bool TryNext(out ColumnBatch batch)
        {
            if (!input.TryNext(out batch))
            {
                // Once, and only if all rows were read: what is noted counts when the task has succeeded.
                if (_count > 0) rows?.Add(_count);
                if (_latest > long.MinValue) latest?.Add(_latest);
                (_count, _latest) = (0, long.MinValue);
                return false;
            }
            _count += batch.Alive;
            if (latest is not null) Note(batch);
            return true;
        }

        public override bool TryTake(Sql.Kernels.FilterEvaluator filter) => false;

        public override void Dispose()
        {
            input.Dispose();
            base.Dispose();
        }

        private static long Largest(ReadOnlySpan<long> values)
        {
            var (all, i) = (new System.Numerics.Vector<long>(long.MinValue), 0);
            for (; i <= values.Length - System.Numerics.Vector<long>.Count; i += System.Numerics.Vector<long>.Count) all = System.Numerics.Vector.Max(all, new System.Numerics.Vector<long>(values[i..]));
            var largest = long.MinValue;
            for (var lane = 0; lane < System.Numerics.Vector<long>.Count; lane++) largest = Math.Max(largest, all[lane]);
            for (; i < values.Length; i++) largest = Math.Max(largest, values[i]);
            return largest;
        }

        private void Note(ColumnBatch batch)
        {
            var times = batch.Columns[position];
            if (times is { Form: VectorForm.Flat, HasNoNulls: true } && batch.Mask == null)
            {
                _latest = Math.Max(_latest, Largest(new ReadOnlySpan<long>(times.Data, batch.Rows)));
                return;
            }
            foreach (var row in batch.Selection)
            {
                if (!times.IsNull(row)) _latest = Math.Max(_latest, *(long*)times.ValueAt(row));
            }
        }
    }
}
