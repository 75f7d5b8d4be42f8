using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>The first half of an aggregate: groups of one partition, as keys and states. A group may come several times.</summary>
/// <param name="Keys">The keys.</param>
/// <param name="Aggregates">The aggregates.</param>
/// <param name="States">The columns of the states, aggregate after aggregate.</param>
/// <param name="Input">The rows.</param>
public sealed record PartialAggregateExec(
    ValueList<NamedExpression> Keys, ValueList<NamedExpression> Aggregates, ValueList<ColumnReference> States, PhysicalPlan Input) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output { get; } = [.. Keys.Select(key => key.Column), .. States];

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override string Describe() => $"PartialAggregate [{Keys}] [{Aggregates}]";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) => new OperatorRdd("Aggregate", Input.ToRdd(run), new Step(
        Keys.ConvertAll(key => key.Value), Aggregates.ConvertAll(each => (AggregateCall)each.Value), Input.Output, run.Scope));

    private sealed class Step(ValueList<Expression> keys, ValueList<AggregateCall> calls, ValueList<ColumnReference> columns, QueryScope scope) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(keys, calls, columns, scope, input, context);
    }

    private sealed class Reader : BatchReader
    {
        // A table of about this size stays in the processor's cache; a full one is handed on, and begun anew.
        private const int MostGroups = 64 << 10;

        // Where of so many rows three of four are groups of their own, looking them up is in vain: the next batches are handed on row by row.
        private const int TriedRows = 16 << 10;
        private const int PassedBatches = 64;

        private readonly BatchReader _input;
        private readonly TaskArena _arena;
        private readonly GroupStates _groups;
        private readonly Evaluator[] _keys;
        private readonly ColumnVector[] _keyVectors;
        private readonly AggregateInput[] _arguments;
        private readonly GroupMasks _masks;
        private readonly VectorGather?[] _gather;
        private readonly long _mostBytes;
        private bool _hasEnded;
        private int _given;
        private int _passed;
        private bool _hasPassed;

        public Reader(
            ValueList<Expression> keys, ValueList<AggregateCall> calls, ValueList<ColumnReference> columns, QueryScope scope, BatchReader input, TaskContext context)
        {
            _input = input;
            _arena = new TaskArena(context, "aggregate");
            _mostBytes = GroupStates.TableBytes(_arena);
            var evaluating = scope.In(_arena);
            _keys = [.. keys.Select(key => ExpressionCompiler.Compile(key, columns, evaluating))];
            _keyVectors = new ColumnVector[_keys.Length];
            _gather = new VectorGather?[_keys.Length];
            var shared = new SharedExpressions(calls, columns, evaluating);
            _arguments = [.. calls.Select(call => new AggregateInput(call, columns, shared, evaluating))];
            _groups = new GroupStates(_arena, keys.ConvertAll(key => key.Type), calls, givesValues: false);
            _masks = new GroupMasks(_arena);
            _given = -1;
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            while (true)
            {
                if (_given >= 0)
                {
                    if (_groups.TryGive(ref _given, asStates: true, out batch)) return true;
                    _groups.Clear();
                    _given = -1;
                }
                batch = null!;
                if (_hasEnded) return false;
                if (_passed > 0)
                {
                    if (!_input.TryNext(out var rows))
                    {
                        _hasEnded = true;
                        return false;
                    }
                    batch = Pass(rows);
                    return true;
                }

                // The batch that was passed last shares memory with the groups.
                if (_hasPassed) _groups.Clear();
                _hasPassed = false;
                Fill();
                _given = 0;
            }
        }

        public override void Dispose()
        {
            _input.Dispose();
            _arena.Dispose();
            base.Dispose();
        }

        private void Fill()
        {
            var read = 0L;
            while (_groups.Count < MostGroups && _groups.Size < _mostBytes)
            {
                if (!_input.TryNext(out var rows))
                {
                    _hasEnded = true;
                    return;
                }
                Add(rows);
                read += rows.Alive;
                if (read < TriedRows || _groups.Count * 4L < read * 3 || _groups.HasLargeStates) continue;
                _passed = PassedBatches;
                return;
            }
        }

        private void Add(ColumnBatch rows)
        {
            for (var i = 0; i < _keys.Length; i++) _keyVectors[i] = _keys[i].Evaluate(rows);
            var numbers = _groups.Find(_keyVectors, rows);
            if (_groups.HasKeys) _masks.Make(rows, numbers, _groups.Count);
            Update(rows, numbers);
        }

        private ColumnBatch Pass(ColumnBatch rows)
        {
            _passed--;
            _hasPassed = true;
            for (var i = 0; i < _keys.Length; i++)
            {
                _keyVectors[i] = _keys[i].Evaluate(rows);
                _gather[i] ??= new VectorGather(_arena, _keyVectors[i].Type);
            }
            _masks.Forget();
            Update(rows, _groups.Number(rows));
            return _groups.GiveRows(_keyVectors, rows.Selection, _gather!);
        }

        private void Update(ColumnBatch rows, ReadOnlySpan<int> numbers)
        {
            for (var i = 0; i < _arguments.Length; i++) _arguments[i].Update(_groups.Kernels[i], rows, numbers, _groups.HasKeys, _masks);
            _groups.Charge();
        }
    }
}

/// <summary>The second half of an aggregate: states with equal keys, which are in one partition, become values.</summary>
/// <param name="Keys">The columns of the keys.</param>
/// <param name="Aggregates">The aggregates.</param>
/// <param name="Input">Keys and states, as <see cref="PartialAggregateExec"/> gives them.</param>
public sealed record FinalAggregateExec(ValueList<ColumnReference> Keys, ValueList<NamedExpression> Aggregates, PhysicalPlan Input) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output { get; } = [.. Keys, .. Aggregates.Select(each => each.Column)];

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override string Describe() => $"FinalAggregate [{Keys}] [{Aggregates}]";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) => new OperatorRdd("Aggregate", Input.ToRdd(run), new Step(
        Keys.ConvertAll(key => key.Type), Aggregates.ConvertAll(each => (AggregateCall)each.Value)));

    private sealed class Step(ValueList<DataType> keys, ValueList<AggregateCall> calls) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new GroupMerger(keys, calls, input, context);
    }
}
