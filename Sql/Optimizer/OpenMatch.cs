using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Optimizer;

/// <summary>IN where nulls leave open whether a row is there, in forms that any join can compute.</summary>
internal static class OpenMatch
{
    /// <summary>That a match is true or null.</summary>
    public static Expression MayBe(Expression match) =>
        new Call(BuiltinFunctions.Registry.FindScalar("coalesce")!, [match, Literal.True], DataType.Boolean);

    /// <summary>Rows with a column that is true where a match is, null where one is null and none true, and false otherwise.</summary>
    /// <param name="left">The rows.</param>
    /// <param name="right">What is looked into.</param>
    /// <param name="match">When a row matches: may be null.</param>
    /// <param name="conditions">Which rows of the right are looked into at all.</param>
    /// <param name="mark">The column.</param>
    public static LogicalPlan Mark(LogicalPlan left, LogicalPlan right, Expression match, List<Expression> conditions, ColumnReference mark)
    {
        var isFound = new ColumnReference("found", DataType.Boolean, false);
        var isOpen = new ColumnReference("open", DataType.Boolean, false);
        var found = new Join(JoinKind.Mark, left, right, Conjuncts.All(conditions.Prepend(match)), isFound);

        // The right is looked into once more, in columns of its own.
        var again = FreshColumns.Copy(right);
        var copies = right.Output.Zip(again.Output).ToDictionary(pair => pair.First, pair => pair.Second);
        var isNull = new Call(BuiltinFunctions.Registry.FindScalar("isnull")!, [match], DataType.Boolean);
        var open = new Join(JoinKind.Mark, found, again, Conjuncts.All(conditions.Prepend(isNull).Select(Copied)), isOpen);
        var value = new Case([isFound, Literal.True, isOpen, Literal.NullOf(DataType.Boolean)], Literal.False);
        return new Project([.. left.Output.Select(NamedExpression.Pass), new NamedExpression(value, mark)], open);

        Expression Copied(Expression expression) => expression.Rewrite(part => part is ColumnReference column && copies.TryGetValue(column, out var copy) ? copy : part);
    }
}
