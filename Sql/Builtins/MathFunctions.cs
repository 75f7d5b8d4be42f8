using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Functions of floating-point numbers, and constants.</summary>
internal static class MathFunctions
{
    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new SquareRootFunction());
        One("cbrt", "The cube root.", Math.Cbrt);
        One("exp", "e to the power of the number.", Math.Exp);
        One("expm1", "e to the power of the number, less 1.", Expm1);
        One("sin", "The sine of radians.", Math.Sin);
        One("cos", "The cosine of radians.", Math.Cos);
        One("tan", "The tangent of radians.", Math.Tan);
        One("cot", "The cotangent of radians.", static x => 1 / Math.Tan(x));
        One("sec", "The secant of radians.", static x => 1 / Math.Cos(x));
        One("csc", "The cosecant of radians.", static x => 1 / Math.Sin(x));
        One("asin", "The angle, in radians, of a sine.", Math.Asin);
        One("acos", "The angle, in radians, of a cosine.", Math.Acos);
        One("atan", "The angle, in radians, of a tangent.", Math.Atan);
        One("sinh", "The hyperbolic sine.", Math.Sinh);
        One("cosh", "The hyperbolic cosine.", Math.Cosh);
        One("tanh", "The hyperbolic tangent.", Math.Tanh);
        One("asinh", "The inverse hyperbolic sine.", Math.Asinh);
        One("acosh", "The inverse hyperbolic cosine.", Math.Acosh);
        One("atanh", "The inverse hyperbolic tangent.", Math.Atanh);
        One("degrees", "Radians in degrees.", static x => x * (180 / Math.PI));
        One("radians", "Degrees in radians.", static x => x * (Math.PI / 180));
        One("rint", "The nearest whole number as a double; halves go to the even one.", static x => Math.Round(x, MidpointRounding.ToEven));
        One("sign", "-1, 0 or 1, as the number is negative, zero or positive.", static x => double.IsNaN(x) ? x : Math.Sign(x), "signum");

        Logarithm("ln", "The natural logarithm; null of numbers that are not positive.", 0, Math.Log);
        Logarithm("log10", "The logarithm to base 10; null of numbers that are not positive.", 0, Math.Log10);
        Logarithm("log2", "The logarithm to base 2; null of numbers that are not positive.", 0, Math.Log2);
        Logarithm("log1p", "The natural logarithm of the number and 1; null of numbers up to -1.", -1, Log1p);
        registry.Add(new RowFunction("log", "log([base, ]number)", "The logarithm to a base, e if none is given; null of numbers that are not positive.",
            [DataType.Double, DataType.Double], DataType.Double, Log) { Optional = 1, MakesNulls = true });

        Two("power", "The first number to the power of the second.", Math.Pow, "pow");
        Two("atan2", "The angle, in radians, of the point (x, y), given y and x.", Math.Atan2);
        Two("hypot", "The root of the sum of both squares.", double.Hypot);
        registry.Add(new RowFunction("pi", "pi()", "The ratio of a circle's circumference to its diameter.", [], DataType.Double, static row => row.Return(Math.PI)));
        registry.Add(new RowFunction("e", "e()", "Euler's number.", [], DataType.Double, static row => row.Return(Math.E)));
        registry.Add(new IsNaNFunction());

        void One(string name, string summary, Func<double, double> of, params string[] also) => registry.Add(new RowFunction(name, $"{name}(number)", summary,
            [DataType.Double], DataType.Double, row => row.Return(of(row.Double(0)))) { Also = [.. also] });

        void Two(string name, string summary, Func<double, double, double> of, params string[] also) => registry.Add(new RowFunction(name, $"{name}(a, b)", summary,
            [DataType.Double, DataType.Double], DataType.Double, row => row.Return(of(row.Double(0), row.Double(1)))) { Also = [.. also] });

        void Logarithm(string name, string summary, double above, Func<double, double> of) => registry.Add(new RowFunction(name, $"{name}(number)", summary,
            [DataType.Double], DataType.Double, row =>
            {
                var value = row.Double(0);
                if (value <= above) row.ReturnNull();
                else row.Return(of(value));
            }) { MakesNulls = true });
    }

    private static void Log(RowEvaluator row)
    {
        var value = row.Double(row.Count - 1);
        if (value <= 0 || (row.Count == 2 && row.Double(0) <= 0)) row.ReturnNull();
        else row.Return(row.Count == 1 ? Math.Log(value) : Math.Log(value) / Math.Log(row.Double(0)));
    }

    // Near zero the plain formulas lose all digits. (W. Kahan's corrections.)
    private static double Expm1(double x)
    {
        if (Math.Abs(x) > 0.5) return Math.Exp(x) - 1;
        var u = Math.Exp(x);
        if (u == 1) return x;
        var less = u - 1;
        return less == -1 ? -1 : less * x / Math.Log(u);
    }

    private static double Log1p(double x)
    {
        if (double.IsInfinity(x)) return x;
        var u = 1 + x;
        return u == 1 ? x : Math.Log(u) * x / (u - 1);
    }
}

/// <summary><c>sqrt</c>.</summary>
internal sealed class SquareRootFunction() : ScalarFunction("sqrt")
{
    public override string Usage => "sqrt(number)";

    public override string Summary => "The square root; NaN of negative numbers.";

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 1 && ImplicitCasts.Allows(arguments[0].Type, DataType.Double) ? new Signature([DataType.Double], DataType.Double) : null;

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => new SquareRootEvaluator(arguments[0], context);
}
