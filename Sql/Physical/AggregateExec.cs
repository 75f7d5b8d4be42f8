using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Plans;
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

        private readonly BatchReader _input;
        private readonly TaskArena _arena;
        private readonly GroupStates _groups;
        private readonly Evaluator[] _keys;
        private readonly ColumnVector[] _keyVectors;
        private readonly AggregateInput[] _arguments;
        private readonly GroupMasks _masks;
        private bool _hasEnded;
        private int _given;

        public Reader(
            ValueList<Expression> keys, ValueList<AggregateCall> calls, ValueList<ColumnReference> columns, QueryScope scope, BatchReader input, TaskContext context)
        {
            _input = input;
            _arena = new TaskArena(context, "aggregate");
            var evaluating = scope.In(_arena);
            _keys = [.. keys.Select(key => ExpressionCompiler.Compile(key, columns, evaluating))];
            _keyVectors = new ColumnVector[_keys.Length];
            var shared = new SharedExpressions(calls, columns, evaluating);
            _arguments = [.. calls.Select(call => new AggregateInput(call, columns, shared, evaluating))];
            _groups = new GroupStates(_arena, keys.ConvertAll(key => key.Type), calls, givesStates: true);
            _masks = new GroupMasks(_arena);
            _given = -1;
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            while (true)
            {
                if (_given >= 0)
                {
                    if (_groups.TryGive(ref _given, out batch)) return true;
                    _groups.Clear();
                    _given = -1;
                }
                batch = null!;
                if (_hasEnded) return false;
                while (_groups.Count < MostGroups)
                {
                    if (!_input.TryNext(out var rows))
                    {
                        _hasEnded = true;
                        break;
                    }
                    Add(rows);
                }
                _given = 0;
            }
        }

        public override void Dispose()
        {
            _input.Dispose();
            _arena.Dispose();
            base.Dispose();
        }

        private void Add(ColumnBatch rows)
        {
            for (var i = 0; i < _keys.Length; i++) _keyVectors[i] = _keys[i].Evaluate(rows);
            var numbers = _groups.Find(_keyVectors, rows);
            if (_groups.HasKeys) _masks.Make(rows, numbers, _groups.Count);
            for (var i = 0; i < _arguments.Length; i++) _arguments[i].Update(_groups.Kernels[i], rows, numbers, _groups.HasKeys, _masks);
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
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(keys, calls, input, context);
    }

    private sealed class Reader : BatchReader
    {
        private readonly BatchReader _input;
        private readonly TaskArena _arena;
        private readonly GroupStates _groups;
        private readonly int _keys;
        private readonly int[] _states;
        private int _given = -1;

        public Reader(ValueList<DataType> keys, ValueList<AggregateCall> calls, BatchReader input, TaskContext context)
        {
            _input = input;
            _arena = new TaskArena(context, "aggregate");
            _keys = keys.Count;
            _states = [.. calls.Select(call => call.Function.StateTypes(call).Count)];
            _groups = new GroupStates(_arena, keys, calls, givesStates: false);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            if (_given < 0)
            {
                while (_input.TryNext(out var rows)) Merge(rows);
                _given = 0;
            }
            return _groups.TryGive(ref _given, out batch);
        }

        public override void Dispose()
        {
            _input.Dispose();
            _arena.Dispose();
            base.Dispose();
        }

        private void Merge(ColumnBatch rows)
        {
            var numbers = _groups.Find(rows.Columns.AsSpan(0, _keys), rows);
            var next = _keys;
            for (var i = 0; i < _states.Length; i++)
            {
                _groups.Kernels[i].Merge(rows.Columns.AsSpan(next, _states[i]), rows.Selection, numbers);
                next += _states[i];
            }
        }
    }
}
