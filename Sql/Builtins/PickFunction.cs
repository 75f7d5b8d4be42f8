using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Builtins;

/// <summary><c>first</c>, <c>last</c> and <c>any_value</c>: a value as it is met. Without an order of rows they may differ from run to run.</summary>
internal sealed class PickFunction(string name, ValueList<string> aliases, bool isLast, bool skipsNulls) : AggregateFunction(name)
{
    public override ValueList<string> Aliases => aliases;

    public override string Usage => $"{Name}(value[, skipsNulls])";

    public override string Summary => isLast ? "The value of the last row, in the order in which rows are met." : skipsNulls
        ? "Some value that is not null; null if there is none." : "The value of the first row, in the order in which rows are met.";

    public override bool IgnoresDuplicates => true;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count is not (1 or 2) || !ComparisonFunction.IsComparable(arguments[0].Type)) return null;
        var type = arguments[0].Type;
        if (arguments.Count == 1) return new Signature([type], type);
        return arguments[1] is Literal { Value: bool } ? new Signature([type, DataType.Boolean], type) : null;
    }

    public override ValueList<DataType> StateTypes(AggregateCall call) => [call.Type, DataType.Boolean];

    public override AggregateKernel Compile(AggregateCall call) =>
        new PickKernel(call.Type, isLast, skipsNulls || (call.Arguments.Count == 2 && call.Arguments[1] is Literal { Value: true }));
}

/// <summary><c>min_by</c> and <c>max_by</c>: a value of the row in which another is smallest or largest.</summary>
internal sealed class PickByFunction(string name) : AggregateFunction(name)
{
    private bool IsMax => Name == "max_by";

    public override string Usage => $"{Name}(value, by)";

    public override string Summary => $"The value of the row in which by is {(IsMax ? "largest" : "smallest")}; rows where by is null are passed over.";

    public override bool IgnoresDuplicates => true;

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 2 && arguments.All(argument => ComparisonFunction.IsComparable(argument.Type))
            ? new Signature([arguments[0].Type, arguments[1].Type], arguments[0].Type)
            : null;

    public override ValueList<DataType> StateTypes(AggregateCall call) => [call.Arguments[0].Type, call.Arguments[1].Type];

    public override AggregateKernel Compile(AggregateCall call) => new PickByKernel(call.Arguments[0].Type, call.Arguments[1].Type, IsMax);
}
