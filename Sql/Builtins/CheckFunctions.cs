using System.Text;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Functions that fail on purpose, and those of places: of a bit, of a bucket.</summary>
internal static class CheckFunctions
{
    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new RowFunction("raise_error", "raise_error(message)", "Ends the query with an error.", [DataType.String], DataType.Null,
            static row => throw row.Error("USER_RAISED_EXCEPTION", Encoding.UTF8.GetString(row.Text(0)))) { Fails = true, MakesNulls = true });
        registry.Add(new AssertFunction());
        registry.Add(new RowFunction("bit_get", "bit_get(number, place)", "The bit at a place, counted from the lowest, which is 0.", [DataType.BigInt, DataType.Int], DataType.TinyInt,
            static row => row.Return(row.Int(1) is >= 0 and < 64 and var place
                ? (sbyte)((row.Long(0) >> place) & 1)
                : throw row.Error("INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE", $"A bigint has the bits 0 to 63, not {row.Int(1)}."))) { Also = ["getbit"], Fails = true });
        registry.Add(new RowFunction("width_bucket", "width_bucket(value, low, high, count)",
            "Which of so many equal parts between low and high holds the value, from 1; 0 below, count + 1 above. Null of bounds that are equal or no numbers.",
            [DataType.Double, DataType.Double, DataType.Double, DataType.BigInt], DataType.BigInt, WidthBucket) { MakesNulls = true });
    }

    private static void WidthBucket(RowEvaluator row)
    {
        var (value, low, high, count) = (row.Double(0), row.Double(1), row.Double(2), row.Long(3));
        if (count is <= 0 or long.MaxValue || double.IsNaN(value) || !double.IsFinite(low) || !double.IsFinite(high) || low == high) row.ReturnNull();
        else if (low < high ? value < low : value > low) row.Return(0L);
        else if (low < high ? value >= high : value <= high) row.Return(count + 1);
        else row.Return((long)(count * (value - low) / (high - low)) + 1);
    }
}

/// <summary><c>assert_true</c>: null where a condition is true, an error where it is false or null.</summary>
internal sealed class AssertFunction() : ScalarFunction("assert_true")
{
    public override string Usage => "assert_true(condition[, message])";

    public override string Summary => "Null where the condition is true; else an error.";

    public override bool MayFail => true;

    public override bool IsNullable(ValueList<Expressions.Expression> arguments) => true;

    public override Signature? Resolve(ValueList<Expressions.Expression> arguments)
    {
        if (arguments.Count is not (1 or 2) || arguments[0].Type.Kind is not (TypeKind.Boolean or TypeKind.Null)) return null;
        return new Signature(arguments.Count == 1 ? [DataType.Boolean] : [DataType.Boolean, DataType.String], DataType.Null);
    }

    public override Evaluator Compile(Expressions.Call call, Evaluator[] arguments, EvaluatorContext context)
    {
        // What is null is false here: the condition that is asked is whether it is not true.
        var isTrue = new CoalesceEvaluator(DataType.Boolean, [arguments[0], ConstantFalse(context)], context);
        Evaluator[] checkedArguments = arguments.Length == 1 ? [isTrue] : [isTrue, arguments[1]];
        return new RowEvaluator(
            static row =>
            {
                if (!row.Bool(0)) throw row.Error("USER_RAISED_EXCEPTION", row.Count > 1 ? Encoding.UTF8.GetString(row.Text(1)) : "The condition of assert_true is not true.");
                row.ReturnNull();
            },
            DataType.Null,
            checkedArguments,
            context,
            call.Position.Start);
    }

    private static Evaluator ConstantFalse(EvaluatorContext context) => ExpressionCompiler.Compile(Expressions.Literal.False, [], context);
}
