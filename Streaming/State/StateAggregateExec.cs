using Dataflow.Files;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Sources;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>Merges the groups of a batch into those of all batches before, one task a partition of state, and gives what the output mode asks for.</summary>
/// <param name="Aggregate">What is computed.</param>
/// <param name="Input">Keys and states, as <see cref="PartialAggregateExec"/> gives them.</param>
internal sealed record StateAggregateExec(StateAggregate Aggregate, PhysicalPlan Input) : PhysicalPlan
{
    public override ValueList<ColumnReference> Output => Aggregate.Output;

    public override ValueList<PhysicalPlan> Inputs => [Input];

    public override string Describe() => Aggregate.Describe();

    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run)
    {
        // Partitions of state stay what they are: this exchange is read as it was written, whatever its sizes.
        var batch = Aggregate.Batch!;
        ValueList<int> keys = [.. Enumerable.Range(0, Aggregate.Keys.Count)];
        Distribution distribution = keys.Count == 0 ? new SingleDistribution() : new HashDistribution(keys, batch.Partitions);
        var exchange = run.Exchange(Input.ToRdd(run), Input.Output.ConvertAll(column => column.Type), distribution);
        var calls = Aggregate.Aggregates.ConvertAll(each => (AggregateCall)each.Value);
        return new OperatorRdd("State", new ExchangeRdd(exchange, []), new Step(Aggregate.Keys.ConvertAll(key => key.Value.Type), calls, Aggregate.Time, batch)).NearState(batch.Name);
    }

    private sealed class Step(ValueList<DataType> keys, ValueList<AggregateCall> calls, TimeKey? time, StateBatch batch) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(keys, calls, time, batch, OperatorPartition.Current!.Value, input, context);
    }

    private sealed class Reader(ValueList<DataType> keys, ValueList<AggregateCall> calls, TimeKey? time, StateBatch batch, int partition, BatchReader input, TaskContext context) : BatchReader
    {
        private AggregateState? _state;
        private StateHandle<AggregateState>? _lease;
        private Queue<long> _spans = new();
        private bool _onlyChanged;
        private int _next;

        public override bool TryNext(out ColumnBatch rows)
        {
            if (_state is null) Advance();
            while (_spans.TryPeek(out var span))
            {
                if (_state!.TryGive(span, ref _next, _onlyChanged, asStates: false, out rows)) return true;
                _next = 0;
                _spans.Dequeue();
                if (batch.Mode == OutputMode.Append) _state.Drop(span);
            }
            rows = null!;
            return false;
        }

        public override void Dispose()
        {
            input.Dispose();
            if (_state is not null)
            {
                // What was not asked for is gone all the same: the file says so.
                if (batch.Mode == OutputMode.Append) foreach (var span in _spans) _state.Drop(span);
                _state.EndUse();
                if (_lease is null) _state.Dispose();
                _lease?.Dispose();
                _state = null;
            }
            base.Dispose();
        }

        // From the state before the batch to that after it, which is on the disk before a row is given.
        private void Advance()
        {
            _state = Take();
            _state.Begin();
            _state.Tip = "?";
            var late = 0L;


            // Where all groups are given again and again, none is final.
            var watermark = batch.Mode == OutputMode.Complete ? long.MinValue : batch.Watermark;
            while (input.TryNext(out var rows)) late += _state.Merge(rows, watermark, context);
            if (late > 0) batch.Late.Add(late);

            // What is given in append mode is dropped from what is written, and from memory once it was given.
            var final = batch.Mode == OutputMode.Complete ? [] : _state.Final(batch.Watermark).ToArray();
            if (batch.Mode == OutputMode.Append) _spans = new(final);
            else foreach (var span in final) _state.Drop(span);
            var chain = batch.Chains[partition];
            var tip = chain.Length == 0 ? "" : chain[^1];
            if (_state.HasChanged || final.Length > 0 || (batch.IsSnapshot && chain.Length > 1))
            {
                tip = $"{batch.BatchFolder}/{partition:D4}-{Guid.NewGuid().ToString("N")[..12]}.{(batch.IsSnapshot ? "snapshot" : "delta")}";
                _state.Write(FilePath.Combine(batch.Folder, tip), batch.IsSnapshot, batch.Mode == OutputMode.Append ? final : [], context);
            }
            _state.Tip = tip;
            batch.Groups.Add(_state.Count - (batch.Mode == OutputMode.Append ? final.Sum(_state.CountOf) : 0));
            if (batch.Mode == OutputMode.Append) return;
            _onlyChanged = batch.Mode == OutputMode.Update;
            _spans = new(_state.Spans);
        }

        // The executor keeps it from batch to batch; where it has none, or one of another attempt, it is made from its files.
        private AggregateState Take()
        {
            var key = ExecutorState.KeyOf(batch.Name, partition);
            var chain = batch.Chains[partition];
            var tip = chain.Length == 0 ? "" : chain[^1];
            var states = context.Services.State;
            if (states.TryGet<AggregateState>(key) is { } here)
            {
                if (here.Value.TryUse())
                {
                    if (here.Value.Tip == tip)
                    {
                        _lease = here;
                        return here.Value;
                    }
                    here.Value.EndUse();
                    here.Dispose();
                    states.Remove(key);
                }
                else
                {
                    // A copy of this task works with it.
                    here.Dispose();
                    var own = Load();
                    own.TryUse();
                    return own;
                }
            }
            var made = states.GetOrCreate(key, 0, Load, LossRule.Rebuild);
            if (made.Value.TryUse() && made.Value.Tip == tip)
            {
                _lease = made;
                return made.Value;
            }
            made.Dispose();
            var other = Load();
            other.TryUse();
            return other;
        }

        private AggregateState Load() => AggregateState.Load(keys, calls, time, batch.Folder, batch.Chains[partition], context);
    }
}
