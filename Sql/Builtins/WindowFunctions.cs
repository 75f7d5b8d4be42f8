using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Builtins;

/// <summary>A row's place among the rows of its partition: <c>row_number</c>, <c>rank</c>, <c>dense_rank</c>, <c>percent_rank</c>, <c>cume_dist</c>.</summary>
internal sealed class RankFunction(string name, DataType result, string summary) : WindowFunction(name)
{
    public override string Usage => $"{Name}()";

    public override string Summary => summary;

    public override bool IsNullable => false;

    public override Signature? Resolve(ValueList<Expression> arguments) => arguments.Count == 0 ? new Signature([], result) : null;
}

/// <summary><c>ntile</c>.</summary>
internal sealed class NTileFunction() : WindowFunction("ntile")
{
    public override string Usage => "ntile(n)";

    public override string Summary => "Which of n parts the row lies in, from 1, if the partition is cut into parts of equal length, the first ones longer by one.";

    public override bool IsNullable => false;

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 1 && arguments[0].Type.IsInteger ? new Signature([DataType.Int], DataType.Int) : null;
}

/// <summary><c>lag</c> and <c>lead</c>.</summary>
internal sealed class OffsetFunction(string name) : WindowFunction(name)
{
    public override string Usage => $"{Name}(value[, rows[, default]])";

    public override string Summary => $"The value so many rows {(Name == "lag" ? "before" : "after")}, one if not given; the default, or null, where there is no such row.";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count is < 1 or > 3) return null;
        if (arguments.Count > 1 && !arguments[1].Type.IsInteger) return null;
        var type = arguments[0].Type;
        if (arguments.Count == 3)
        {
            if (TypeRules.Common(arguments[0], arguments[2]) is not { } common) return null;
            return new Signature([common, DataType.Int, common], common);
        }
        return arguments.Count == 1 ? new Signature([type], type) : new Signature([type, DataType.Int], type);
    }
}

/// <summary><c>nth_value</c>.</summary>
internal sealed class NthValueFunction() : WindowFunction("nth_value")
{
    public override string Usage => "nth_value(value, n)";

    public override string Summary => "The value of the frame's row of that number, from 1; null if it has fewer.";

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 2 && arguments[1].Type.IsInteger ? new Signature([arguments[0].Type, DataType.Int], arguments[0].Type) : null;
}
