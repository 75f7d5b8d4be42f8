using Dataflow.Sql.Builtins;

namespace Dataflow.Sql.Expressions;

/// <summary>Conditions as lists of those that all must be true.</summary>
public static class Conjuncts
{
    /// <summary>The parts of a condition that AND connects; none for null and for true.</summary>
    public static IEnumerable<Expression> Of(Expression? condition)
    {
        if (condition is null) yield break;

        // Chains are as deep as they are long: no call for each part of one.
        var open = new Stack<Expression>();
        open.Push(condition);
        while (open.TryPop(out var part))
        {
            if (part is Call { Function.Name: "and" } and)
            {
                for (var i = and.Arguments.Count - 1; i >= 0; i--) open.Push(and.Arguments[i]);
            }
            else if (part != Literal.True)
            {
                yield return part;
            }
        }
    }

    /// <summary>One condition of several; null of none.</summary>
    public static Expression? All(IEnumerable<Expression> conditions)
    {
        Expression? all = null;
        foreach (var condition in conditions) all = all is null ? condition : new Call(And, [all, condition], DataType.Boolean);
        return all;
    }

    private static ScalarFunction And => BuiltinFunctions.Registry.FindScalar("and")!;
}
