using System.Numerics;
using System.Text;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Whole numbers and the ways to write them.</summary>
internal static class IntegerFunctions
{
    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new RowFunction("factorial", "factorial(n)", "The product of 1 to n, of n up to 20; null of others.", [DataType.Int], DataType.BigInt, Factorial) { MakesNulls = true });
        registry.Add(new RowFunction("bin", "bin(number)", "The number in binary digits.", [DataType.BigInt], DataType.String,
            static row => row.Return(row.Long(0) == 0 ? "0" : row.Long(0).ToString("B", null))));
        registry.Add(new RowFunction("unhex", "unhex(text)", "The bytes that hexadecimal digits stand for; null if there are others.", [DataType.String], DataType.Binary, Unhex) { MakesNulls = true });
        registry.Add(new RowFunction("conv", "conv(number, from, to)", "A number, given as text to one base, to another base, 2 to 36.",
            [DataType.String, DataType.Int, DataType.Int], DataType.String, Convert) { MakesNulls = true });
        registry.Add(new RowFunction("bit_count", "bit_count(number)", "How many bits are set.", [DataType.BigInt], DataType.Int,
            static row => row.Return(BitOperations.PopCount((ulong)row.Long(0)))));
        registry.Add(new HexFunction());
    }

    private static void Factorial(RowEvaluator row)
    {
        var n = row.Int(0);
        if (n is < 0 or > 20)
        {
            row.ReturnNull();
            return;
        }
        var product = 1L;
        for (; n > 1; n--) product *= n;
        row.Return(product);
    }

    private static void Unhex(RowEvaluator row)
    {
        var text = Encoding.UTF8.GetString(row.Text(0));
        // An odd digit at the front is a byte of its own.
        if ((text.Length & 1) != 0) text = "0" + text;
        if (text.All(char.IsAsciiHexDigit)) row.Return(System.Convert.FromHexString(text).AsSpan());
        else row.ReturnNull();
    }

    private static void Convert(RowEvaluator row)
    {
        var (from, to) = (row.Int(1), Math.Abs(row.Int(2)));
        var text = Encoding.UTF8.GetString(row.Text(0)).Trim();
        if (from is < 2 or > 36 || to is < 2 or > 36 || text.Length == 0)
        {
            row.ReturnNull();
            return;
        }
        var isNegative = text[0] == '-';
        UInt128 value = 0;
        foreach (var each in isNegative ? text.AsSpan(1) : text)
        {
            var digit = char.IsAsciiDigit(each) ? each - '0' : char.IsAsciiLetter(each) ? char.ToUpperInvariant(each) - 'A' + 10 : 99;
            if (digit >= from) break;
            value = (value * (uint)from) + (uint)digit;
            if (value > ulong.MaxValue) value = ulong.MaxValue;
        }
        // Without a sign in the result, negative numbers are the complement in 64 bits.
        var number = (ulong)value;
        var isSigned = row.Int(2) < 0;
        if (isNegative) number = unchecked(0 - number);
        var sign = "";
        if (isSigned && (long)number < 0)
        {
            sign = "-";
            number = unchecked(0 - number);
        }
        var digits = new StringBuilder();
        do
        {
            digits.Insert(0, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(int)(number % (uint)to)]);
            number /= (uint)to;
        }
        while (number != 0);
        row.Return(sign + digits);
    }
}

/// <summary><c>hex</c> of whole numbers, text and bytes.</summary>
internal sealed class HexFunction() : ScalarFunction("hex")
{
    public override string Usage => "hex(number, text or bytes)";

    public override string Summary => "The hexadecimal digits of a whole number or of bytes.";

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != 1) return null;
        var type = arguments[0].Type;
        if (type.IsNumber) return new Signature([DataType.BigInt], DataType.String);
        return type.Kind is TypeKind.String or TypeKind.Binary ? new Signature([type], DataType.String) : null;
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new RowEvaluator(
        call.Arguments[0].Type.Kind == TypeKind.BigInt
            ? static row => row.Return(row.Long(0).ToString("X", null))
            : static row => row.Return(Convert.ToHexString(row.Text(0))),
        DataType.String, arguments, context, call.Position.Start);
}

/// <summary><c>isnan</c>.</summary>
internal sealed class IsNaNFunction() : ScalarFunction("isnan")
{
    public override string Usage => "isnan(number)";

    public override string Summary => "Whether the number is NaN; false of null.";

    public override bool IsNullable(ValueList<Expression> arguments) => false;

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 1 && ImplicitCasts.Allows(arguments[0].Type, DataType.Double) ? new Signature([DataType.Double], DataType.Boolean) : null;

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new CoalesceEvaluator(DataType.Boolean,
        [new RowEvaluator(static row => row.Return(double.IsNaN(row.Double(0))), DataType.Boolean, arguments, context, -1), new LiteralEvaluator(Literal.False, context.Arena)], context);
}
