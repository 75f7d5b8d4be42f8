using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Physical;

/// <summary>INTERSECT and EXCEPT as an aggregate over both sides: how often each row is on the left, and on the right. Nulls are equal there.</summary>
/// <remarks>With ALL, rows that are equal are numbered on each side first: the second of the left meets the second of the right.</remarks>
internal static class SetRewrite
{
    public static LogicalPlan ToAggregate(SetOperation operation)
    {
        var left = operation.KeepsDuplicates ? Numbered(operation.Left) : operation.Left;
        var right = operation.KeepsDuplicates ? Numbered(operation.Right) : operation.Right;
        var columns = left.Output.ConvertAll(column => new ColumnReference(column.Name, column.Type, true));
        var leftCount = new ColumnReference("on the left", DataType.BigInt, true);
        var rightCount = new ColumnReference("on the right", DataType.BigInt, true);
        var one = new Literal(1L, DataType.BigInt);
        var zero = new Literal(0L, DataType.BigInt);
        var both = new Union([Side(left, one, zero), Side(right, zero, one)], [.. columns, leftCount, rightCount]);
        var keys = columns.ConvertAll(column => new NamedExpression(column, new ColumnReference(column.Name, column.Type, column.Nullable)));
        var onLeft = NamedExpression.New(Sum(leftCount), "on the left");
        var onRight = NamedExpression.New(Sum(rightCount), "on the right");
        var counted = new Aggregate(keys, [onLeft, onRight], both);
        var condition = Conjuncts.All([Compare(">", onLeft.Column, zero), Compare(operation.IsExcept ? "=" : ">", onRight.Column, zero)])!;
        return new Project([.. keys.Zip(operation.Left.Output, (key, column) => new NamedExpression(key.Column, column))], new Filter(condition, counted));
    }

    // How many equal rows came up to each.
    private static Plans.Window Numbered(LogicalPlan plan)
    {
        var count = new AggregateCall(BuiltinFunctions.Registry.FindAggregate("count")!, [], DataType.BigInt);
        var frame = new WindowFrame(false, null, new Literal(0, DataType.Int));
        var number = new WindowExpression(count, plan.Output.ConvertAll<Expression>(column => column), [], frame);
        return new Plans.Window([NamedExpression.New(number, "number")], plan);
    }

    private static Project Side(LogicalPlan plan, Literal left, Literal right) =>
        new([.. plan.Output.Select(NamedExpression.Pass), NamedExpression.New(left, "on the left"), NamedExpression.New(right, "on the right")], plan);

    private static AggregateCall Sum(ColumnReference column) => new(BuiltinFunctions.Registry.FindAggregate("sum")!, [column], DataType.BigInt);

    private static Call Compare(string name, Expression value, Literal with) => new(BuiltinFunctions.Registry.FindScalar(name)!, [value, with], DataType.Boolean);
}
