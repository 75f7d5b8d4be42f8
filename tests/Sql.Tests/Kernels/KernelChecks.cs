using System.Numerics;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using static Dataflow.Sql.Tests.Kernels.KernelRig;

namespace Dataflow.Sql.Tests.Kernels;

/// <summary>Checks of kernels on random columns; they throw with the seed. Each is cheap enough to run in processes without some instructions too.</summary>
internal static class KernelChecks
{
    private const int Rounds = 15;

    private static readonly DataType[] Types =
    [
        DataType.Boolean, DataType.TinyInt, DataType.SmallInt, DataType.Int, DataType.BigInt, DataType.Float, DataType.Double, DataType.String, DataType.Date,
        DataType.Decimal(15, 2), DataType.Decimal(30, 2),
    ];

    public static void All()
    {
        Comparisons();
        Arithmetic();
        Decimals();
        Branches();
        Aggregates();
    }

    public static void Comparisons() => Each((random, rows) =>
    {
        var type = Types[random.Next(Types.Length)];
        using var rig = new KernelRig();
        var (left, leftValues) = RandomValues.Add(rig, random, "l", type, rows);
        var (right, rightValues) = RandomValues.Add(rig, random, "r", type, rows);
        var mask = RandomValues.Mask(random, rows);
        foreach (var (sign, holds) in new (string, Func<int, bool>)[]
            { ("=", o => o == 0), ("<>", o => o != 0), ("<", o => o < 0), ("<=", o => o <= 0), (">", o => o > 0), (">=", o => o >= 0) })
        {
            var expected = leftValues.Zip(rightValues, (a, b) => a is null || b is null ? null : (object?)holds(RandomValues.Compare(a, b))).ToArray();
            var call = Call(sign, left, right);
            Same(Masked(expected, mask), rig.Evaluate(call, mask), $"{type} {sign}");
            Same([.. Masked(expected, mask).Select(each => (object?)(each is true))], [.. rig.Filter(call, mask).Select(each => (object?)each)], $"filter {type} {sign}");
        }
    });

    public static void Arithmetic() => Each((random, rows) =>
    {
        DataType[] types = [DataType.TinyInt, DataType.SmallInt, DataType.Int, DataType.BigInt, DataType.Float, DataType.Double];
        var type = types[random.Next(types.Length)];
        using var rig = new KernelRig();
        var (left, leftValues) = RandomValues.Add(rig, random, "l", type, rows);
        var (right, rightValues) = RandomValues.Add(rig, random, "r", type, rows);
        var mask = RandomValues.Mask(random, rows);
        foreach (var sign in "+-*")
        {
            var results = leftValues.Zip(rightValues, (a, b) => a is null || b is null ? null : Compute(sign, a, b)).ToArray();
            var expected = Masked(results, mask);
            var call = Call(sign.ToString(), left, right);
            if (expected.Any(each => each is OverflowException))
            {
                var error = Assert.Throws<QueryException>(() => rig.Evaluate(call, mask));
                Assert.EndsWith("ARITHMETIC_OVERFLOW", error.ErrorClass);
            }
            else
            {
                Same(expected, rig.Evaluate(call, mask), $"{type} {sign}");
            }
        }
    });

    public static void Decimals() => Each((random, rows) =>
    {
        (int, int)[] types = [(5, 2), (15, 2), (18, 0), (20, 4), (38, 10)];
        var ((p1, s1), (p2, s2)) = (types[random.Next(types.Length)], types[random.Next(types.Length)]);
        using var rig = new KernelRig();
        var (left, leftValues) = RandomValues.Add(rig, random, "l", DataType.Decimal(p1, s1), rows);
        var (right, rightValues) = RandomValues.Add(rig, random, "r", DataType.Decimal(p2, s2), rows);
        var mask = RandomValues.Mask(random, rows);
        foreach (var sign in "+-*/")
        {
            var call = Call(sign.ToString(), left, right);
            var type = (DecimalType)call.Type;
            var results = leftValues.Zip(rightValues, (a, b) => a is null || b is null ? null : Exact(sign, (Int128)a, s1, (Int128)b, s2, type)).ToArray();
            var expected = Masked(results, mask);
            if (expected.Any(each => each is Exception))
            {
                var error = Assert.Throws<QueryException>(() => rig.Evaluate(call, mask));
                Assert.Contains(error.ErrorClass, new[] { "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "REMAINDER_BY_ZERO", "DIVIDE_BY_ZERO" });
                continue;
            }
            Same(expected, rig.Evaluate(call, mask), $"decimal({p1},{s1}) {sign} decimal({p2},{s2})");
            var narrow = rig.Compile(call).EvaluateNarrow(rig.Batch(mask));
            Same(expected, Masked(Read(narrow, rows), mask), $"decimal({p1},{s1}) {sign} decimal({p2},{s2}) as {narrow.Type}");
        }
    });

    public static void Branches() => Each((random, rows) =>
    {
        var type = Types[random.Next(Types.Length)];
        using var rig = new KernelRig();
        var (first, firstValues) = RandomValues.Add(rig, random, "a", type, rows);
        var (second, secondValues) = RandomValues.Add(rig, random, "b", type, rows);
        var (condition, conditionValues) = RandomValues.Add(rig, random, "c", DataType.Boolean, rows);
        var mask = RandomValues.Mask(random, rows);
        var chosen = conditionValues.Select((each, i) => each is true ? firstValues[i] : secondValues[i]).ToArray();
        Same(Masked(chosen, mask), rig.Evaluate(new Case([condition, first], second), mask), $"case of {type}");
        Same(Masked([.. firstValues.Select((each, i) => each ?? secondValues[i])], mask), rig.Evaluate(Call("coalesce", first, second), mask), $"coalesce of {type}");
        var largest = firstValues.Zip(secondValues, (a, b) => a is null ? b : b is null ? a : RandomValues.Compare(a, b) >= 0 ? a : b).ToArray();
        Same(Masked(largest, mask), rig.Evaluate(Call("greatest", first, second), mask), $"greatest of {type}");
        var nullIf = firstValues.Zip(secondValues, (a, b) => a is not null && b is not null && RandomValues.Compare(a, b) == 0 ? null : a).ToArray();
        Same(Masked(nullIf, mask), rig.Evaluate(Call("nullif", first, second), mask), $"nullif of {type}");
        var list = Enumerable.Range(0, random.Next(1, 30)).Select(_ => Value(RandomValues.Of(random, type), type)).ToArray();
        var found = firstValues.Select(a => a is null ? null : (object?)list.Any(each => RandomValues.Compare(a, each.Value!) == 0)).ToArray();
        Same(Masked(found, mask), rig.Evaluate(new InList(first, new ValueList<Literal>(list)), mask), $"{type} in a list");
    });

    public static void Aggregates() => Each((random, rows) =>
    {
        var type = Types[random.Next(Types.Length)];
        using var rig = new KernelRig();
        var (column, values) = RandomValues.Add(rig, random, "v", type, rows);
        int[] groups = [.. Enumerable.Range(0, rows).Select(_ => random.Next(-1, 3))];
        Check("count", each => (long)each.Count);
        Check("min", each => each.Count == 0 ? null : each.Aggregate((a, b) => RandomValues.Compare(a, b) <= 0 ? a : b));
        Check("max", each => each.Count == 0 ? null : each.Aggregate((a, b) => RandomValues.Compare(a, b) >= 0 ? a : b));
        if (type is DecimalType) Check("sum", each => each.Count == 0 ? null : each.Aggregate((Int128)0, (sum, value) => sum + (Int128)value));
        if (type.Kind is TypeKind.TinyInt or TypeKind.SmallInt or TypeKind.Int) Check("sum", each => each.Count == 0 ? null : each.Sum(value => Convert.ToInt64(value)));

        void Check(string name, Func<List<object>, object?> of)
        {
            var expected = Enumerable.Range(0, 4).Select(group => of([.. values.Where((value, i) => value is not null && groups[i] == group).Select(value => value!)])).ToArray();
            Same(expected, AggregateRig.Run(rig, AggregateRig.CallOf(name, column), groups, 4), $"{name} of {type}");
        }
    });

    private static void Each(Action<Random, int> check)
    {
        for (var seed = 0; seed < Rounds; seed++)
        {
            foreach (var rows in RandomValues.Lengths)
            {
                try
                {
                    check(new Random((seed * 10007) + rows), rows);
                }
                catch (Exception error)
                {
                    throw new InvalidOperationException($"Seed {seed}, {rows} rows: {error.Message}", error);
                }
            }
        }
    }

    private static object?[] Masked(object?[] values, bool[] mask) => mask.Length == 0 ? values : [.. values.Select((each, i) => mask[i] ? each : null)];

    private static void Same(object?[] expected, object?[] actual, string what)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            if (Equals(expected[i], actual[i])) continue;
            // Either zero will do where both are equal.
            if (expected[i] is 0.0 && actual[i] is 0.0 || expected[i] is 0f && actual[i] is 0f) continue;
            Assert.Fail($"{what}: row {i} is {actual[i] ?? "null"} instead of {expected[i] ?? "null"}.");
        }
    }

    private static object Compute(char sign, object a, object b)
    {
        try
        {
            return (a, b) switch
            {
                (sbyte l, sbyte r) => (object)checked((sbyte)(sign == '+' ? l + r : sign == '-' ? l - r : l * r)),
                (short l, short r) => (object)checked((short)(sign == '+' ? l + r : sign == '-' ? l - r : l * r)),
                (int l, int r) => (object)checked(sign == '+' ? l + r : sign == '-' ? l - r : l * r),
                (long l, long r) => (object)checked(sign == '+' ? l + r : sign == '-' ? l - r : l * r),
                (float l, float r) => (object)(sign == '+' ? l + r : sign == '-' ? l - r : l * r),
                var (l, r) => sign == '+' ? (double)l + (double)r : sign == '-' ? (double)l - (double)r : (double)l * (double)r,
            };
        }
        catch (OverflowException error)
        {
            return error;
        }
    }

    private static object Exact(char sign, BigInteger a, int s1, BigInteger b, int s2, DecimalType type)
    {
        var (numerator, scale, divisor) = sign switch
        {
            '*' => (a * b, s1 + s2, BigInteger.One),
            '/' => (a * BigInteger.Pow(10, 60), s1 - s2 + 60, b),
            _ => ((a * BigInteger.Pow(10, Math.Max(0, s2 - s1))) + ((sign == '+' ? b : -b) * BigInteger.Pow(10, Math.Max(0, s1 - s2))), Math.Max(s1, s2), BigInteger.One),
        };
        if (divisor.IsZero) return new DivideByZeroException();
        // numerator / divisor / 10^scale, with the type's scale.
        if (type.Scale >= scale) numerator *= BigInteger.Pow(10, type.Scale - scale);
        else divisor *= BigInteger.Pow(10, scale - type.Scale);
        var quotient = BigInteger.DivRem(BigInteger.Abs(numerator), BigInteger.Abs(divisor), out var rest);
        if (rest * 2 >= BigInteger.Abs(divisor)) quotient++;
        if (numerator.Sign * divisor.Sign < 0) quotient = -quotient;
        return BigInteger.Abs(quotient) < BigInteger.Pow(10, type.Precision) ? (Int128)quotient : new OverflowException();
    }
}
