using Dataflow.Sql.Casts;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Kernels;

/// <summary>Makes evaluators of bound expressions: one tree of evaluators a task.</summary>
public static class ExpressionCompiler
{
    /// <summary>Makes what computes an expression.</summary>
    /// <param name="expression">Without subqueries and aggregates.</param>
    /// <param name="columns">The columns of the batches, by position.</param>
    /// <param name="context">Memory and settings of the task.</param>
    /// <exception cref="InvalidOperationException">The expression reads a column that is not among the columns, or can't be computed a row at a time.</exception>
    public static Evaluator Compile(Expression expression, ValueList<ColumnReference> columns, EvaluatorContext context) =>
        Compile(expression, columns, context, null);

    /// <summary>Makes what says for which rows a predicate is true.</summary>
    /// <param name="predicate">A boolean expression; the parts of an AND are tried in the order they are written.</param>
    /// <param name="columns">The columns of the batches, by position.</param>
    /// <param name="context">Memory and settings of the task.</param>
    /// <exception cref="InvalidOperationException">As for <see cref="Compile(Expression, ValueList{ColumnReference}, EvaluatorContext)"/>.</exception>
    public static FilterEvaluator CompileFilter(Expression predicate, ValueList<ColumnReference> columns, EvaluatorContext context)
    {
        var conjuncts = new List<Conjunct>();
        Split(predicate);
        return new FilterEvaluator([.. conjuncts], context.Arena);

        void Split(Expression part)
        {
            if (part is Call { Function.Name: "and" } both)
            {
                foreach (var argument in both.Arguments) Split(argument);
            }
            else
            {
                conjuncts.Add(new Conjunct(Compile(part, columns, context), PositionsOf(part, columns), part.MayFail || !part.IsDeterministic));
            }
        }
    }

    private static int[] PositionsOf(Expression expression, ValueList<ColumnReference> columns)
    {
        var ids = expression.References().Select(column => column.Id).ToHashSet();
        return [.. Enumerable.Range(0, columns.Count).Where(i => ids.Contains(columns[i].Id))];
    }

    /// <summary>The same with parts that other expressions share, if any.</summary>
    internal static Evaluator Compile(Expression expression, ValueList<ColumnReference> columns, EvaluatorContext context, SharedExpressions? shared)
    {
        if (expression is ColumnReference reference)
        {
            for (var i = 0; i < columns.Count; i++)
            {
                if (columns[i].Id == reference.Id) return new ColumnEvaluator(i);
            }
            throw new InvalidOperationException($"The column {reference} is not among {columns}. Please report this.");
        }
        if (expression is Literal literal) return new LiteralEvaluator(literal, context.Arena);
        return shared?.Find(expression, () => Make(expression, columns, context, shared)) ?? Make(expression, columns, context, shared);
    }

    private static void Gather(Expression expression, string name, List<Expression> parts)
    {
        if (expression is Call { Function: Builtins.AndOrFunction } call && call.Function.Name == name)
        {
            foreach (var argument in call.Arguments) Gather(argument, name, parts);
        }
        else
        {
            parts.Add(expression);
        }
    }

    private static Evaluator Make(Expression expression, ValueList<ColumnReference> columns, EvaluatorContext context, SharedExpressions? shared)
    {
        // Parts that only some rows reach are not shared.
        var reached = SharedExpressions.AlwaysReached(expression);
        switch (expression)
        {
            case Call { Function: Builtins.AndOrFunction } call:
                // Chains come as trees: one evaluator for all their parts tries each on the rows that are left.
                var parts = new List<Expression>();
                Gather(call, call.Function.Name, parts);
                return call.Function.Compile(call, [.. parts.Select((part, i) => Compile(part, columns, context, i == 0 ? shared : null))], context);
            case Call call:
                var arguments = new Evaluator[call.Arguments.Count];
                for (var i = 0; i < arguments.Length; i++) arguments[i] = Compile(call.Arguments[i], columns, context, i < reached ? shared : null);
                return call.Function.Compile(call, arguments, context);
            case Cast cast:
                return CastCompiler.Compile(cast, Compile(cast.Operand, columns, context, shared), context);
            case InList list:
                return InListCompiler.Compile(list, Compile(list.Operand, columns, context, shared), context);
            case Case choice:
                var branches = new (Evaluator, Evaluator)[choice.Branches.Count / 2];
                for (var i = 0; i < branches.Length; i++)
                {
                    var when = Compile(choice.Branches[2 * i], columns, context, i == 0 ? shared : null);
                    branches[i] = (when, Compile(choice.Branches[(2 * i) + 1], columns, context, null));
                }
                return new CaseEvaluator(choice.Type, branches, Compile(choice.Else, columns, context, null), context);
            default:
                throw new InvalidOperationException($"{expression} can't be computed for a row by itself. Please report this.");
        }
    }
}
