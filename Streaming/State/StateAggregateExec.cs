using Dataflow.Files;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.Execution;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>Merges the groups of a batch into those of all batches before, one task a partition of state, and gives what the output mode asks for.</summary>
/// <param name="Aggregate">What is computed.</param>
/// <param name="Input">Keys and states, as <see cref="PartialAggregateExec"/> gives them.</param>
internal sealed record StateAggregateExec(StateAggregate Aggregate, PhysicalPlan Input) : PhysicalPlan, IPlacesRows
{
    public RowPlace? Place => Aggregate.Batch is { } batch ? RowPlace.By(Aggregate.Keys.Select(key => key.Column), batch.Partitions) : null;

    public override ValueList<ColumnReference> Output => Aggregate.Output;

    public override ValueList<PhysicalPlan> Inputs => [Input];

    public override string Describe() => Aggregate.Describe();

    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run)
    {
        var batch = Aggregate.Batch!;
        ValueList<int> keys = [.. Enumerable.Range(0, Aggregate.Keys.Count)];
        var calls = Aggregate.Aggregates.ConvertAll(each => (AggregateCall)each.Value);
        return new OperatorRdd("State", batch.Place(Input, keys, run), new Step(Aggregate.Keys.ConvertAll(key => key.Value.Type), calls, Aggregate.Time, Aggregate.Mode, batch)).NearState(batch.Name);
    }

    private sealed class Step(ValueList<DataType> keys, ValueList<AggregateCall> calls, TimeKey? time, OutputMode mode, StateBatch batch) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(keys, calls, time, mode, batch, OperatorPartition.Current!.Value, input, context);
    }

    private sealed class Reader(ValueList<DataType> keys, ValueList<AggregateCall> calls, TimeKey? time, OutputMode mode, StateBatch batch, int partition, BatchReader input, TaskContext context) : BatchReader
    {
        private StateLease<AggregateState>? _lease;
        private Queue<long> _spans = new();
        private HashSet<long> _final = [];
        private bool _onlyChanged;
        private IEnumerator<ColumnBatch>? _rows;

        private AggregateState State => _lease!.State;

        public override bool TryNext(out ColumnBatch rows)
        {
            if (_lease is null) Advance();
            while (_spans.TryPeek(out var span))
            {
                _rows ??= State.Give(span, _onlyChanged, context).GetEnumerator();
                if (_rows.MoveNext())
                {
                    rows = _rows.Current;
                    return true;
                }
                EndSpan();
                _spans.Dequeue();
                if (_final.Contains(span)) State.Drop(span);
            }
            rows = null!;
            return false;
        }

        public override void Dispose()
        {
            input.Dispose();
            EndSpan();
            if (_lease is not null)
            {
                // What was not asked for is gone all the same: the file says so.
                foreach (var span in _final) State.Drop(span);
                _spans.Clear();
                _lease.Dispose();
            }
            base.Dispose();
        }

        private void EndSpan()
        {
            _rows?.Dispose();
            _rows = null;
        }

        // From the state before the batch to that after it, which is on the disk before a row is given.
        private void Advance()
        {
            _lease = StateLease<AggregateState>.Take(batch, partition, (folder, chain, task) => AggregateState.Load(keys, calls, time, folder, chain, task), context);

            // Where all groups are given again and again, none is final.
            var isComplete = mode == OutputMode.Complete;
            var late = 0L;
            while (input.TryNext(out var rows))
            {
                late += State.Merge(rows, isComplete ? long.MinValue : batch.LateWatermark, context);

                // Groups that a batch changed are given in update mode, from memory.
                if (mode != OutputMode.Update) _lease.MakeRoom();
            }
            batch.Figures.Late.Add(late);
            batch.Figures.Updated.Add(State.Updated);

            // What is final is dropped from what is written, and from memory once it was given.
            long[] final = isComplete ? [] : [.. State.Final(batch.Watermark)];
            var removed = final.Sum(State.CountOf);
            batch.Figures.Removed.Add(removed);
            batch.Figures.Rows.Add(State.Count - removed);
            if (mode == OutputMode.Append && State.Spans.Except(final).FirstOrDefault(span => span != AggregateState.Always, AggregateState.Always) is var next and not AggregateState.Always)
                batch.Figures.NextEnd.Add(State.EndOf(next));
            State.Leave(final);
            _lease.Save();
            _final = [.. final];
            _onlyChanged = mode == OutputMode.Update;
            _spans = new(mode == OutputMode.Append ? final : State.Spans);
        }
    }
}
