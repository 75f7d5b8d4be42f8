using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Physical;

/// <summary>The conjuncts of a join's condition: equalities between one side and the other, and the others.</summary>
/// <param name="Left">Keys of the left.</param>
/// <param name="Right">Keys of the right, of the same types.</param>
/// <param name="NullSafe">For each key, whether it was compared by <c>&lt;=&gt;</c>; empty if none was.</param>
/// <param name="Others">What else the condition says; null if nothing.</param>
internal sealed record JoinKeys(ValueList<Expression> Left, ValueList<Expression> Right, ValueList<bool> NullSafe, Expression? Others)
{
    public static JoinKeys Of(Join join)
    {
        var left = join.Left.Output.ToHashSet();
        var right = join.Right.Output.ToHashSet();
        List<(Expression Left, Expression Right, bool IsNullSafe)> keys = [];
        List<Expression> rest = [];
        foreach (var conjunct in Conjuncts.Of(join.Condition))
        {
            if (conjunct is Call { Function.Name: "=" or "<=>", Arguments: [var first, var second] } equality)
            {
                var isNullSafe = equality.Function.Name == "<=>" && (first.Nullable || second.Nullable);
                if (Reads(first, left) && Reads(second, right))
                {
                    keys.Add((first, second, isNullSafe));
                    continue;
                }
                if (Reads(first, right) && Reads(second, left))
                {
                    keys.Add((second, first, isNullSafe));
                    continue;
                }
            }
            rest.Add(conjunct);
        }
        ValueList<bool> nullSafe = keys.Any(key => key.IsNullSafe) ? [.. keys.Select(key => key.IsNullSafe)] : [];
        return new JoinKeys([.. keys.Select(key => key.Left)], [.. keys.Select(key => key.Right)], nullSafe, Conjuncts.All(rest));
    }

    private static bool Reads(Expression expression, HashSet<ColumnReference> side) => expression.References().Any() && expression.References().All(side.Contains);
}
