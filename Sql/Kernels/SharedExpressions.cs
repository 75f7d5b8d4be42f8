using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Kernels;

/// <summary>
/// Makes evaluators of several expressions over the same batches, such that what is part of more than one, or twice of one, is computed once a batch.
/// </summary>
/// <remarks>
/// Only parts that every row reaches are shared. A branch of CASE computes its own, for the rows that reach it: elsewhere it could fail, or overwrite
/// values that another expression still lends.
/// </remarks>
public sealed class SharedExpressions
{
    private readonly Dictionary<Expression, int> _uses = [];
    private readonly Dictionary<Expression, Evaluator> _shared = [];
    private readonly ValueList<ColumnReference> _columns;
    private readonly EvaluatorContext _context;

    /// <summary>Looks at the expressions that will be compiled.</summary>
    /// <param name="expressions">All of them; aggregate calls stand for their arguments.</param>
    /// <param name="columns">The columns of the batches, by position.</param>
    /// <param name="context">Memory and settings of the task.</param>
    public SharedExpressions(IEnumerable<Expression> expressions, ValueList<ColumnReference> columns, EvaluatorContext context)
    {
        _columns = columns;
        _context = context;
        foreach (var expression in expressions)
        {
            if (expression is not AggregateCall call) Count(expression);
            else foreach (var argument in call.Arguments) Count(argument);
        }
    }

    /// <summary>Makes what computes one of the expressions. All evaluators must be asked in turn for one batch before the next.</summary>
    /// <param name="expression">One of the expressions that were given.</param>
    /// <exception cref="InvalidOperationException">As for <see cref="ExpressionCompiler.Compile(Expression, ValueList{ColumnReference}, EvaluatorContext)"/>.</exception>
    public Evaluator Compile(Expression expression) => ExpressionCompiler.Compile(expression, _columns, _context, this);

    /// <summary>The evaluator of a part that is shared; null if it is not.</summary>
    internal Evaluator? Find(Expression expression, Func<Evaluator> make)
    {
        if (!_uses.TryGetValue(expression, out var uses) || uses < 2) return null;
        if (_shared.TryGetValue(expression, out var known)) return known;
        var evaluator = make();
        return _shared[expression] = evaluator.IsConstant ? evaluator : new SharedEvaluator(evaluator);
    }

    /// <summary>The parts that all rows reach: of CASE, AND, OR and the like the first one.</summary>
    internal static int AlwaysReached(Expression expression) => expression switch
    {
        Case => 1,
        Call { Function.Name: "and" or "or" or "coalesce" or "nvl" or "ifnull" or "if" or "nvl2" } => 1,
        _ => expression.Children.Count,
    };

    private void Count(Expression expression)
    {
        if (expression is ColumnReference or Literal) return;
        if (expression.IsDeterministic)
        {
            var uses = _uses[expression] = _uses.GetValueOrDefault(expression) + 1;
            // Its parts are computed with it, once.
            if (uses > 1) return;
        }
        var children = expression.Children;
        for (var i = 0; i < AlwaysReached(expression); i++) Count(children[i]);
    }

    private sealed class SharedEvaluator(Evaluator inner) : Evaluator
    {
        private (ColumnBatch? Batch, long Version, ColumnVector? Vector) _wide;
        private (ColumnBatch? Batch, long Version, ColumnVector? Vector) _narrow;

        public override ColumnVector Evaluate(ColumnBatch batch)
        {
            if (_wide.Vector is null || _wide.Batch != batch || _wide.Version != batch.Version) _wide = (batch, batch.Version, inner.Evaluate(batch));
            return _wide.Vector!;
        }

        public override ColumnVector EvaluateNarrow(ColumnBatch batch)
        {
            if (_narrow.Vector is null || _narrow.Batch != batch || _narrow.Version != batch.Version) _narrow = (batch, batch.Version, inner.EvaluateNarrow(batch));
            return _narrow.Vector!;
        }
    }
}
