using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.Execution;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>Each row whose key was not seen before.</summary>
/// <param name="Operator">Its number among the operators of the query that have state.</param>
/// <param name="Keys">The key.</param>
/// <param name="Time">How long keys are known.</param>
/// <param name="Input">The rows.</param>
internal sealed record StateDedup(int Operator, ValueList<ColumnReference> Keys, KeyLife? Time, LogicalPlan Input) : StatePlan(Operator)
{
    public override ValueList<ColumnReference> Output => Input.Output;

    public override ValueList<LogicalPlan> Inputs => [Input];

    public override IEnumerable<Expression> Expressions => Time is null ? Keys : Keys.Append(Time.Column);

    public override bool IsSingle => Keys.Count == 0;

    public override bool WaitsForWatermark => false;

    public override long[] Spans => Time is null ? [] : [Time.SpanMicroseconds];

    public override StatePlan WithSpans(long[] spans) => Time is not null && spans is [var span] ? this with { Time = Time with { SpanMicroseconds = span } } : this;

    public override IEnumerable<(LogicalPlan Input, Expression IsLate)> LateRows(long watermark)
    {
        if (Time is null || watermark < long.MinValue + Time.AfterMicroseconds + Time.SpanMicroseconds) yield break;
        yield return (Input, Time.IsKey
            ? State.LateRows.IsUpTo(State.LateRows.SpanOf(Time.Column, Time.SpanMicroseconds), watermark - Time.AfterMicroseconds - Time.SpanMicroseconds)
            : State.LateRows.IsBefore(Time.Column, watermark));
    }

    public override StateDescription Describe(StateNames names) => new(
        StateDescription.OfDistinct,
        [new StateSide([.. Keys.Select(key => StateColumn.Make(key.Name, key.Type))], Time is null ? [] : [StateColumn.Make(Time.Column.Name, Time.Column.Type)])]);

    public override string Shape => $"distinct by ({string.Join(", ", Keys.Select(key => $"{key.Name} {key.Type}"))})";

    public override LogicalPlan WithInputs(ValueList<LogicalPlan> inputs) => this with { Input = inputs[0] };

    public override LogicalPlan MapExpressions(Func<Expression, Expression> map) => this with
    {
        Keys = Keys.ConvertAll(key => (ColumnReference)map(key)),
        Time = Time is null ? null : Time with { Column = (ColumnReference)map(Time.Column) },
    };

    public override string Describe() => $"StateDedup {Operator} [{Keys}]";
}

/// <summary>How long a key is known.</summary>
/// <param name="Column">Its time.</param>
/// <param name="IsKey">Whether rows with another time are other rows: then each span of times has keys of its own.</param>
/// <param name="AfterMicroseconds">How long after its time the key is known: it is forgotten when the watermark is so much later.</param>
/// <param name="SpanMicroseconds">Keys of so long a span of times are kept and forgotten together.</param>
internal sealed record KeyLife(ColumnReference Column, bool IsKey, long AfterMicroseconds, long SpanMicroseconds);

/// <summary>Brings rows of a key together, and lets the first through.</summary>
/// <param name="Dedup">What is computed.</param>
/// <param name="Input">The rows.</param>
internal sealed record StateDedupExec(StateDedup Dedup, PhysicalPlan Input) : PhysicalPlan, IPlacesRows
{
    public RowPlace? Place => Dedup.Batch is { } batch ? RowPlace.By(Dedup.Keys, batch.Partitions) : null;

    public override ValueList<ColumnReference> Output => Input.Output;

    public override ValueList<PhysicalPlan> Inputs => [Input];

    public override string Describe() => Dedup.Describe();

    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run)
    {
        var batch = Dedup.Batch!;
        var keys = Dedup.Keys.ConvertAll(key => Planner.PositionOf(Input, key));
        var time = Dedup.Time is null ? -1 : Planner.PositionOf(Input, Dedup.Time.Column);
        var layout = new StateLayout(
            Dedup.Keys.ConvertAll(key => key.Type), time < 0 ? [] : [Dedup.Time!.Column.Type], time < 0 ? -1 : 0, Dedup.Time?.SpanMicroseconds ?? 1);
        return new OperatorRdd("State", batch.Place(Input, keys, run), new Step(layout, keys, time, Dedup.Time, batch)).NearState(batch.Name);
    }

    private sealed class Step(StateLayout layout, ValueList<int> keys, int time, KeyLife? life, StateBatch batch) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(layout, keys, time, life, batch, OperatorPartition.Current!.Value, input, context);
    }

    private sealed unsafe class Reader(
        StateLayout layout, ValueList<int> keys, int time, KeyLife? life, StateBatch batch, int partition, BatchReader input, TaskContext context)
        : TableReader(layout, batch, partition, context)
    {
        private readonly ulong[] _mask = GC.AllocateArray<ulong>(ColumnBatch.MaxRows / 64, pinned: true);
        private readonly ushort[] _rows = new ushort[ColumnBatch.MaxRows];
        private readonly int[] _found = new int[ColumnBatch.MaxRows];
        private readonly ColumnVector[] _columns = new ColumnVector[keys.Count + (time < 0 ? 0 : 1)];
        private readonly TaskArena _arena = new(context, "distinct");
        private KeyTable? _ofBatch;

        protected override bool TryGive(out ColumnBatch rows)
        {
            while (input.TryNext(out rows))
            {
                for (var i = 0; i < keys.Count; i++) _columns[i] = rows.Columns[keys[i]];
                if (time >= 0) _columns[^1] = rows.Columns[time];
                var left = Unknown(rows.Selection);
                fixed (ulong* mask = _mask)
                {
                    Bits.Zero(mask, rows.Rows);
                    if (life is { IsKey: false })
                    {
                        foreach (var row in left) Bits.Set(mask, row);
                        State.Add(_columns, left, null, Context);
                    }
                    else
                    {
                        State.AddNew(_columns, left, mask, Context);
                    }
                    rows.Set(rows.Rows, mask);
                }
                if (rows.Alive == 0) continue;
                Batch.Figures.Updated.Add(rows.Alive);
                return true;
            }
            return false;
        }

        protected override void Forget()
        {
            var watermark = Batch.Watermark;
            if (life is null || watermark < long.MinValue + life.AfterMicroseconds) return;
            foreach (var span in State.Before(watermark - life.AfterMicroseconds))
            {
                Batch.Figures.Removed.Add(State[span].Count);
                State.Drop(span);
            }
        }

        protected override void Close()
        {
            input.Dispose();
            _arena.Dispose();
        }

        // Rows that are not too late, and whose keys are not known in another span of times than theirs.
        private ReadOnlySpan<ushort> Unknown(ReadOnlySpan<ushort> rows)
        {
            if (life is null)
            {
                rows.CopyTo(_rows);
                return _rows.AsSpan(0, FirstOfBatch(rows.Length));
            }
            var times = _columns[^1];
            var count = 0;
            foreach (var row in rows)
            {
                if (!times.IsNull(row) && IsLate(*(long*)times.ValueAt(row))) continue;
                _rows[count++] = row;
            }
            if (count < rows.Length) Batch.Figures.Late.Add(rows.Length - count);
            count = FirstOfBatch(count);
            if (life.IsKey) return _rows.AsSpan(0, count);
            foreach (var (_, span) in State.Spans)
            {
                span.Find(_columns.AsSpan(0, keys.Count), _rows.AsSpan(0, count), _found);
                var left = 0;
                for (var i = 0; i < count; i++)
                {
                    if (_found[i] < 0 || IsForgotten(span, _found[i])) _rows[left++] = _rows[i];
                }
                count = left;
            }
            return _rows.AsSpan(0, count);
        }

        // Of rows of the batch with one key the first counts; they may be of several spans.
        private int FirstOfBatch(int count)
        {
            if (keys.Count == 0) return Math.Min(count, 1);
            _ofBatch ??= KeyTable.For(_arena, State.Layout.Keys);
            _ofBatch.Clear();
            _ofBatch.FindOrAdd(_columns.AsSpan(0, keys.Count), _rows.AsSpan(0, count), _found);
            var left = 0;
            for (var i = 0; i < count; i++)
            {
                if (_found[i] == left) _rows[left++] = _rows[i];
            }
            return left;
        }

        // Its span is dropped later, when all of it is.
        private bool IsForgotten(StateSpan span, int row) =>
            Batch.Watermark >= long.MinValue + life!.AfterMicroseconds && span.TimeOf(row) is { } time && time <= Batch.Watermark - life.AfterMicroseconds;

        // What would find its keys forgotten. Where a key goes on to be known for a while, the watermark alone says so.
        private bool IsLate(long at)
        {
            if (Batch.LateWatermark < long.MinValue + life!.AfterMicroseconds) return false;
            return life.IsKey ? State.EndOf(State.StartOf(at)) <= Batch.LateWatermark - life.AfterMicroseconds : at < Batch.LateWatermark;
        }
    }
}
