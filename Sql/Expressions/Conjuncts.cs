using Dataflow.Sql.Builtins;

namespace Dataflow.Sql.Expressions;

/// <summary>Conditions as lists of those that all must be true.</summary>
public static class Conjuncts
{
    /// <summary>The parts of a condition that AND connects; none for null and for true.</summary>
    public static IEnumerable<Expression> Of(Expression? condition)
    {
        if (condition is null || condition == Literal.True) yield break;
        if (condition is Call { Function.Name: "and" } and)
        {
            foreach (var part in and.Arguments.SelectMany(Of)) yield return part;
            yield break;
        }
        yield return condition;
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
