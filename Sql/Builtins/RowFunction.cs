using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>A function that computes one row at a time and is null where an argument is: everything of it in one place.</summary>
/// <param name="name">Its name.</param>
/// <param name="usage">How it is called.</param>
/// <param name="summary">What it gives.</param>
/// <param name="parameters">The types it takes; arguments are cast to them where that loses nothing.</param>
/// <param name="result">The type it gives.</param>
/// <param name="kernel">What it does for a row.</param>
internal sealed class RowFunction(string name, string usage, string summary, ValueList<DataType> parameters, DataType result, RowKernel kernel)
    : ScalarFunction(name)
{
    public override ValueList<string> Aliases => Also;

    public override string Usage => usage;

    public override string Summary => summary;

    /// <summary>Other names.</summary>
    public ValueList<string> Also { get; init; } = [];

    /// <summary>How many arguments may be left out at the end.</summary>
    public int Optional { get; init; }

    /// <summary>Whether the last parameter may be given any number of times.</summary>
    public bool Repeats { get; init; }

    /// <summary>Whether it fails for some values.</summary>
    public bool Fails { get; init; }

    /// <summary>Whether it gives null for values that are not.</summary>
    public bool MakesNulls { get; init; }

    public override bool MayFail => Fails;

    public override bool IsNullable(ValueList<Expression> arguments) => MakesNulls || base.IsNullable(arguments);

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count < parameters.Count - Optional || (!Repeats && arguments.Count > parameters.Count)) return null;
        var types = new DataType[arguments.Count];
        for (var i = 0; i < types.Length; i++)
        {
            types[i] = parameters[Math.Min(i, parameters.Count - 1)];
            if (!ImplicitCasts.Allows(arguments[i].Type, types[i])) return null;
        }
        return new Signature([.. types], result);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) =>
        new RowEvaluator(kernel, result, arguments, context, call.Position.Start);
}

/// <summary>Which types an argument may have for a parameter of another type.</summary>
internal static class ImplicitCasts
{
    public static bool Allows(DataType from, DataType to)
    {
        if (from == to || from.Kind == TypeKind.Null) return true;
        return to.Kind switch
        {
            TypeKind.String => from.Kind < TypeKind.Array,
            TypeKind.Int or TypeKind.BigInt => from.IsInteger || from.Kind == TypeKind.String,
            TypeKind.Double => from.IsNumber || from.Kind == TypeKind.String,
            TypeKind.Binary => from.Kind is TypeKind.String or TypeKind.Binary,
            TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz =>
                from.Kind is TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz or TypeKind.String,
            TypeKind.Boolean => from.Kind == TypeKind.String,
            _ => false,
        };
    }
}
