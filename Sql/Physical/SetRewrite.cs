using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Physical;

/// <summary>INTERSECT and EXCEPT as an aggregate over both sides: how often each row is on the left, and on the right. Nulls are equal there.</summary>
internal static class SetRewrite
{
    public static LogicalPlan ToAggregate(SetOperation operation)
    {
        var columns = operation.Left.Output.ConvertAll(column => new ColumnReference(column.Name, column.Type, true));
        var leftCount = new ColumnReference("on the left", DataType.BigInt, true);
        var rightCount = new ColumnReference("on the right", DataType.BigInt, true);
        var one = new Literal(1L, DataType.BigInt);
        var zero = new Literal(0L, DataType.BigInt);
        var both = new Union([Side(operation.Left, one, zero), Side(operation.Right, zero, one)], [.. columns, leftCount, rightCount]);
        var keys = columns.ConvertAll(column => new NamedExpression(column, new ColumnReference(column.Name, column.Type, column.Nullable)));
        var left = NamedExpression.New(Sum(leftCount), "on the left");
        var right = NamedExpression.New(Sum(rightCount), "on the right");
        var counted = new Aggregate(keys, [left, right], both);
        if (operation.KeepsDuplicates) throw new QueryException("UNSUPPORTED_FEATURE", $"{(operation.IsExcept ? "EXCEPT" : "INTERSECT")} ALL can't be computed yet: leave ALL out, or count the rows with GROUP BY.");
        var condition = Conjuncts.All([Compare(">", left.Column, zero), Compare(operation.IsExcept ? "=" : ">", right.Column, zero)])!;
        return new Project([.. keys.Zip(operation.Left.Output, (key, column) => new NamedExpression(key.Column, column))], new Filter(condition, counted));

        static Project Side(LogicalPlan plan, Literal left, Literal right) =>
            new([.. plan.Output.Select(NamedExpression.Pass), NamedExpression.New(left, "on the left"), NamedExpression.New(right, "on the right")], plan);

        static AggregateCall Sum(ColumnReference column)
        {
            var function = BuiltinFunctions.Registry.FindAggregate("sum")!;
            return new AggregateCall(function, [column], DataType.BigInt);
        }

        static Call Compare(string name, Expression value, Literal with) => new(BuiltinFunctions.Registry.FindScalar(name)!, [value, with], DataType.Boolean);
    }
}
