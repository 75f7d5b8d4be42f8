using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>Keeps the rows for which a condition is true: it only clears bits of the batch's mask.</summary>
/// <param name="Condition">The condition.</param>
/// <param name="Input">The rows.</param>
public sealed record FilterExec(Expression Condition, PhysicalPlan Input) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Input.Output;

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override string Describe() => $"Filter {Condition}";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) => new OperatorRdd("Filter", Input.ToRdd(run), new Step(Condition, Input.Output, run.Scope));

    private sealed class Step(Expression condition, ValueList<ColumnReference> columns, QueryScope scope) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(condition, columns, scope, input, context);
    }

    private sealed unsafe class Reader : BatchReader
    {
        private readonly BatchReader _input;
        private readonly TaskArena _arena;
        private readonly FilterEvaluator _filter;
        private readonly bool _isTaken;

        public Reader(Expression condition, ValueList<ColumnReference> columns, QueryScope scope, BatchReader input, TaskContext context)
        {
            _input = input;
            _arena = new TaskArena(context, "filter");
            _filter = ExpressionCompiler.CompileFilter(condition, columns, scope.In(_arena));
            _isTaken = input.TryTake(_filter);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            if (_isTaken) return _input.TryNext(out batch);
            while (_input.TryNext(out batch))
            {
                batch.Set(batch.Rows, _filter.Filter(batch));
                if (batch.Alive > 0) return true;
            }
            return false;
        }

        public override void Dispose()
        {
            _input.Dispose();
            _arena.Dispose();
            base.Dispose();
        }
    }
}

/// <summary>Computes columns of each row. Columns that are passed on are not copied.</summary>
/// <param name="Items">The columns.</param>
/// <param name="Input">The rows.</param>
public sealed record ProjectExec(ValueList<Plans.NamedExpression> Items, PhysicalPlan Input) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output { get; } = Items.ConvertAll(item => item.Column);

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override string Describe() => $"Project [{Items}]";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) =>
        new OperatorRdd("Project", Input.ToRdd(run), new Step(Items.ConvertAll(item => item.Value), Input.Output, run.Scope));

    private sealed class Step(ValueList<Expression> items, ValueList<ColumnReference> columns, QueryScope scope) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(items, columns, scope, input, context);
    }

    private sealed unsafe class Reader : BatchReader
    {
        private readonly BatchReader _input;
        private readonly TaskArena _arena;
        private readonly Evaluator[] _evaluators;
        private readonly ColumnBatch _batch;

        public Reader(ValueList<Expression> items, ValueList<ColumnReference> columns, QueryScope scope, BatchReader input, TaskContext context)
        {
            _input = input;
            _arena = new TaskArena(context, "projection");
            var shared = new SharedExpressions(items, columns, scope.In(_arena));
            _evaluators = [.. items.Select(shared.Compile)];
            _batch = new ColumnBatch([.. items.Select(item => new ColumnVector(item.Type))]);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            batch = _batch;
            if (!_input.TryNext(out var rows)) return false;
            for (var i = 0; i < _evaluators.Length; i++) _batch.Columns[i].Share(_evaluators[i].Evaluate(rows));
            _batch.Set(rows.Rows, rows.Mask);
            return true;
        }

        public override void Dispose()
        {
            _input.Dispose();
            _arena.Dispose();
            base.Dispose();
        }
    }
}

/// <summary>Makes several rows of each.</summary>
/// <param name="Projections">The lists of expressions, one for each row that is made.</param>
/// <param name="Columns">The columns.</param>
/// <param name="Input">The rows.</param>
public sealed record ExpandExec(ValueList<ValueList<Expression>> Projections, ValueList<ColumnReference> Columns, PhysicalPlan Input) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Columns;

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override string Describe() => $"Expand {Projections.Count} times [{Columns}]";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) => new OperatorRdd("Expand", Input.ToRdd(run), new Step(Projections, Input.Output, run.Scope));

    private sealed class Step(ValueList<ValueList<Expression>> projections, ValueList<ColumnReference> columns, QueryScope scope) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(projections, columns, scope, input, context);
    }

    private sealed unsafe class Reader : BatchReader
    {
        private readonly BatchReader _input;
        private readonly TaskArena _arena;
        private readonly Evaluator[][] _projections;
        private readonly ColumnBatch _batch;
        private ColumnBatch? _rows;
        private int _next;

        public Reader(ValueList<ValueList<Expression>> projections, ValueList<ColumnReference> columns, QueryScope scope, BatchReader input, TaskContext context)
        {
            _input = input;
            _arena = new TaskArena(context, "expansion");
            _projections = [.. projections.Select(items => items.Select(item => ExpressionCompiler.Compile(item, columns, scope.In(_arena))).ToArray())];
            _batch = new ColumnBatch([.. projections[0].Select(item => new ColumnVector(item.Type))]);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            batch = _batch;
            if (_rows is null || _next == _projections.Length)
            {
                if (!_input.TryNext(out _rows!)) return false;
                _next = 0;
            }
            var items = _projections[_next++];
            for (var i = 0; i < items.Length; i++) _batch.Columns[i].Share(items[i].Evaluate(_rows));
            _batch.Set(_rows.Rows, _rows.Mask);
            return true;
        }

        public override void Dispose()
        {
            _input.Dispose();
            _arena.Dispose();
            base.Dispose();
        }
    }
}
