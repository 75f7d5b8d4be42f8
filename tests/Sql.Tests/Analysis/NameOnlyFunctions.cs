using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Tests.Analysis;

/// <summary>Functions that resolve types and compute nothing: enough to bind with.</summary>
internal static class NameOnlyFunctions
{
    public static FunctionRegistry Registry { get; } = Create();

    private static FunctionRegistry Create()
    {
        var registry = new FunctionRegistry();
        foreach (var name in (string[])["=", "<>", "<", "<=", ">", ">=", "<=>"])
        {
            registry.Add(new Scalar(name, $"({name})", arguments => arguments.Count == 2 && arguments[0].Type == arguments[1].Type ? DataType.Boolean : null) { IsInfix = true });
        }
        foreach (var name in (string[])["and", "or"]) registry.Add(new Scalar(name, name, arguments => arguments.All(a => a.Type == DataType.Boolean) ? DataType.Boolean : null) { IsInfix = true });
        foreach (var name in (string[])["+", "-", "*", "/", "%", "div"]) registry.Add(new Scalar(name, name, arguments => Arithmetic(name, arguments)) { IsInfix = true, Fails = true });
        registry.Add(new Scalar("not", "not(condition)", arguments => DataType.Boolean));
        registry.Add(new Scalar("isnull", "isnull(value)", arguments => DataType.Boolean));
        registry.Add(new Scalar("isnotnull", "isnotnull(value)", arguments => DataType.Boolean));
        registry.Add(new Scalar("negative", "negative(number)", arguments => arguments[0].Type.IsNumber || arguments[0].Type == DataType.DayTimeInterval ? arguments[0].Type : null));
        registry.Add(new Scalar("positive", "positive(number)", arguments => arguments[0].Type));
        foreach (var name in (string[])["like", "ilike", "rlike"]) registry.Add(new Scalar(name, $"{name}(text, pattern[, escape])", arguments => DataType.Boolean));
        registry.Add(new Scalar("concat", "concat(text, ...)", arguments => DataType.String));
        registry.Add(new Scalar("coalesce", "coalesce(value, ...)", arguments => arguments[0].Type));
        foreach (var name in (string[])["upper", "lower", "trim", "ltrim", "rtrim"])
        {
            registry.Add(new Scalar(name, $"{name}(text[, characters])", arguments => arguments.Count is 1 or 2 && arguments[0].Type == DataType.String ? DataType.String : null));
        }
        foreach (var name in (string[])["substring", "substr"])
        {
            registry.Add(new Scalar(name, $"{name}(text, start[, length])", arguments => arguments.Count is 2 or 3 && arguments[0].Type == DataType.String ? DataType.String : null));
        }
        registry.Add(new Scalar("abs", "abs(number)", arguments => arguments.Count == 1 && arguments[0].Type.IsNumber ? arguments[0].Type : null));
        registry.Add(new Scalar("date_part", "date_part(unit, source)", arguments => arguments[1].Type == DataType.Date ? DataType.Int : null));
        registry.Add(new Scalar("current_date", "current_date()", arguments => arguments.Count == 0 ? DataType.Date : null));
        registry.Add(new Scalar("rand", "rand()", arguments => DataType.Double) { Deterministic = false });
        registry.Add(new Total("count", "count(value, ...)", _ => DataType.BigInt));
        registry.Add(new Total("sum", "sum(number)", type => type switch
        {
            DecimalType exact => DataType.Decimal(Math.Min(38, exact.Precision + 10), exact.Scale),
            { IsInteger: true } => DataType.BigInt,
            { IsNumber: true } => DataType.Double,
            _ => null,
        }));
        registry.Add(new Total("avg", "avg(number)", type => type switch
        {
            DecimalType exact => DataType.Decimal(Math.Min(38, exact.Precision + 4), Math.Min(38, exact.Scale + 4)),
            { IsNumber: true } => DataType.Double,
            _ => null,
        }));
        registry.Add(new Total("min", "min(value)", type => type) { Ignores = true });
        registry.Add(new Total("max", "max(value)", type => type) { Ignores = true });
        registry.Add(new Total("first_value", "first_value(value[, ignoreNulls])", type => type));
        foreach (var name in (string[])["row_number", "rank", "dense_rank"]) registry.Add(new Windowed(name));
        return registry;
    }

    private static DataType? Arithmetic(string name, ValueList<Expression> arguments)
    {
        var (a, b) = (arguments[0].Type, arguments[1].Type);
        if (a is DecimalType left && b is DecimalType right)
        {
            return name switch
            {
                "*" => Bounded(left.Precision + right.Precision + 1, left.Scale + right.Scale),
                "/" => Bounded(left.Precision - left.Scale + right.Scale + Math.Max(6, left.Scale + right.Precision + 1), Math.Max(6, left.Scale + right.Precision + 1)),
                _ => Bounded(Math.Max(left.Precision - left.Scale, right.Precision - right.Scale) + Math.Max(left.Scale, right.Scale) + 1, Math.Max(left.Scale, right.Scale)),
            };
        }
        if (a == b && a.IsNumber) return a;
        return a.IsNumber && b.IsNumber ? null : TimeArithmetic.Resolve(name[0], arguments)?.Result;
    }

    private static DecimalType Bounded(int precision, int scale) =>
        precision <= 38 ? DataType.Decimal(precision, scale) : DataType.Decimal(38, Math.Max(38 - (precision - scale), Math.Min(scale, 6)));

    private sealed class Scalar(string name, string usage, Func<ValueList<Expression>, DataType?> resolve) : ScalarFunction(name)
    {
        public override string Usage => usage;

        public override string Summary => "For tests.";

        public bool IsInfix { get; init; }

        public bool Fails { get; init; }

        public bool Deterministic { get; init; } = true;

        public override bool MayFail => Fails;

        public override bool IsDeterministic => Deterministic;

        public override Signature? Resolve(ValueList<Expression> arguments) =>
            resolve(arguments) is { } type ? new Signature(arguments.ConvertAll(argument => argument.Type), type) : null;

        public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => throw new QueryException("UNSUPPORTED_FEATURE", "Functions of these tests have names and types only.");

        public override string Print(ValueList<Expression> arguments) => IsInfix ? $"({arguments[0]} {Name} {arguments[1]})" : base.Print(arguments);
    }

    private sealed class Total(string name, string usage, Func<DataType, DataType?> resolve) : AggregateFunction(name)
    {
        public override string Usage => usage;

        public override string Summary => "For tests.";

        public bool Ignores { get; init; }

        public override bool IgnoresDuplicates => Ignores;

        public override bool IsNullable => Name != "count";

        public override Signature? Resolve(ValueList<Expression> arguments)
        {
            if (arguments.Count != 1 && Name is not ("count" or "first_value")) return null;
            return resolve(arguments.Count == 0 ? DataType.BigInt : arguments[0].Type) is { } type ? new Signature(arguments.ConvertAll(argument => argument.Type), type) : null;
        }

        public override ValueList<DataType> StateTypes(AggregateCall call) => throw new QueryException("UNSUPPORTED_FEATURE", "Functions of these tests have names and types only.");

        public override AggregateKernel Compile(AggregateCall call) => throw new QueryException("UNSUPPORTED_FEATURE", "Functions of these tests have names and types only.");
    }

    private sealed class Windowed(string name) : WindowFunction(name)
    {
        public override string Usage => $"{Name}()";

        public override string Summary => "For tests.";

        public override bool IsNullable => false;

        public override Signature? Resolve(ValueList<Expression> arguments) => arguments.Count == 0 ? new Signature([], DataType.Int) : null;
    }
}
