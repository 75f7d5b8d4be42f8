using System.Numerics;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>&amp;</c>, <c>|</c>, <c>^</c> and <c>~</c> of whole numbers: bits of the wider type of both.</summary>
internal sealed class BitFunction(string name, string summary) : ScalarFunction(name)
{
    public override string Usage => Name == "~" ? "~a" : $"a {Name} b";

    public override string Summary => summary;

    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new BitFunction("&", "The bits that both have."));
        registry.Add(new BitFunction("|", "The bits that one of them has."));
        registry.Add(new BitFunction("^", "The bits that only one of them has."));
        registry.Add(new BitFunction("~", "The bits that it does not have."));
        registry.Add(new ShiftFunction("shiftleft", "The bits moved to higher places."));
        registry.Add(new ShiftFunction("shiftright", "The bits moved to lower places; the sign fills up."));
        registry.Add(new ShiftFunction("shiftrightunsigned", "The bits moved to lower places; zeros fill up."));
    }

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != (Name == "~" ? 1 : 2)) return null;
        var type = arguments.Count == 1 ? arguments[0].Type : TypeRules.Common(arguments[0].Type, arguments[1].Type);
        if (type?.Kind == TypeKind.Null) type = DataType.Int;
        return type is { IsInteger: true } ? new Signature(arguments.ConvertAll(_ => type), type) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        var kernel = call.Type.Kind switch
        {
            TypeKind.TinyInt => KernelOf<sbyte>(),
            TypeKind.SmallInt => KernelOf<short>(),
            TypeKind.Int => KernelOf<int>(),
            _ => KernelOf<long>(),
        };
        return new RowEvaluator(kernel, call.Type, arguments, context, call.Position.Start);
    }

    public override string Print(ValueList<Expression> arguments) => Name == "~" ? $"~{arguments[0]}" : $"({arguments[0]} {Name} {arguments[1]})";

    private RowKernel KernelOf<T>() where T : unmanaged, IBinaryInteger<T> => Name switch
    {
        "&" => static row => row.Return(row.Value<T>(0) & row.Value<T>(1)),
        "|" => static row => row.Return(row.Value<T>(0) | row.Value<T>(1)),
        "^" => static row => row.Return(row.Value<T>(0) ^ row.Value<T>(1)),
        _ => static row => row.Return(~row.Value<T>(0)),
    };
}

/// <summary><c>&lt;&lt;</c>, <c>&gt;&gt;</c> and <c>&gt;&gt;&gt;</c> of ints and bigints. As in Java only the lowest five or six bits of the distance count.</summary>
internal sealed class ShiftFunction(string name, string summary) : ScalarFunction(name)
{
    public override string Usage => $"{Name}(number, distance)";

    public override string Summary => summary;

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 2 || !arguments.All(argument => ImplicitCasts.Allows(argument.Type, DataType.Int) || argument.Type.IsInteger)) return null;
        var type = arguments[0].Type.Kind == TypeKind.BigInt ? DataType.BigInt : DataType.Int;
        return new Signature([type, DataType.Int], type);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) =>
        new RowEvaluator(KernelOf(call.Type.Kind == TypeKind.BigInt), call.Type, arguments, context, call.Position.Start);

    private RowKernel KernelOf(bool isLong) => (Name, isLong) switch
    {
        ("shiftleft", true) => static row => row.Return(row.Long(0) << row.Int(1)),
        ("shiftleft", false) => static row => row.Return(row.Int(0) << row.Int(1)),
        ("shiftright", true) => static row => row.Return(row.Long(0) >> row.Int(1)),
        ("shiftright", false) => static row => row.Return(row.Int(0) >> row.Int(1)),
        (_, true) => static row => row.Return(row.Long(0) >>> row.Int(1)),
        _ => static row => row.Return(row.Int(0) >>> row.Int(1)),
    };
}
