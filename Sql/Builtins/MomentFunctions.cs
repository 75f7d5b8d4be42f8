using System.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Variances, deviations, covariances and correlations, of doubles.</summary>
/// <param name="name">The name.</param>
/// <param name="aliases">Other names.</param>
/// <param name="count">Arguments: one or two.</param>
/// <param name="summary">What it gives.</param>
/// <param name="of">The value of a group's moments; null for null.</param>
internal sealed class MomentFunction(string name, ValueList<string> aliases, int count, string summary, Func<Moments, double?> of) : AggregateFunction(name)
{
    public override ValueList<string> Aliases => aliases;

    public override string Usage => count == 1 ? $"{Name}(number)" : $"{Name}(a, b)";

    public override string Summary => summary;

    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new MomentFunction("stddev_samp", ["stddev", "std"], 1, "The standard deviation of a sample; null of fewer than two values.", static m => m.Count < 2 ? null : Math.Sqrt(m.XX / (m.Count - 1))));
        registry.Add(new MomentFunction("stddev_pop", [], 1, "The standard deviation of a population.", static m => m.Count < 1 ? null : Math.Sqrt(m.XX / m.Count)));
        registry.Add(new MomentFunction("var_samp", ["variance"], 1, "The variance of a sample; null of fewer than two values.", static m => m.Count < 2 ? null : m.XX / (m.Count - 1)));
        registry.Add(new MomentFunction("var_pop", [], 1, "The variance of a population.", static m => m.Count < 1 ? null : m.XX / m.Count));
        registry.Add(new MomentFunction("covar_samp", [], 2, "The covariance of a sample of pairs; null of fewer than two.", static m => m.Count < 2 ? null : m.XY / (m.Count - 1)));
        registry.Add(new MomentFunction("covar_pop", [], 2, "The covariance of a population of pairs.", static m => m.Count < 1 ? null : m.XY / m.Count));
        registry.Add(new MomentFunction("corr", [], 2, "Pearson's correlation of pairs; null if one side does not vary.", static m => m.Count < 2 || m.XX == 0 || m.YY == 0 ? null : m.XY / Math.Sqrt(m.XX * m.YY)));
        AddRegressions(registry);
    }

    // Of y by x, where y is the first argument.
    private static void AddRegressions(FunctionRegistry registry)
    {
        registry.Add(new MomentFunction("regr_avgx", [], 2, "The mean of x, of pairs (y, x).", static m => m.Count < 1 ? null : m.Y));
        registry.Add(new MomentFunction("regr_avgy", [], 2, "The mean of y, of pairs (y, x).", static m => m.Count < 1 ? null : m.X));
        registry.Add(new MomentFunction("regr_sxx", [], 2, "The sum of squares of what x differs from its mean by.", static m => m.Count < 1 ? null : m.YY));
        registry.Add(new MomentFunction("regr_syy", [], 2, "The sum of squares of what y differs from its mean by.", static m => m.Count < 1 ? null : m.XX));
        registry.Add(new MomentFunction("regr_sxy", [], 2, "The sum of products of what x and y differ from their means by.", static m => m.Count < 1 ? null : m.XY));
        registry.Add(new MomentFunction("regr_slope", [], 2, "The slope of the line nearest to the pairs (y, x).", static m => m.Count < 2 || m.YY == 0 ? null : m.XY / m.YY));
        registry.Add(new MomentFunction("regr_intercept", [], 2, "Where the line nearest to the pairs (y, x) meets the y axis.",
            static m => m.Count < 2 || m.YY == 0 ? null : m.X - (m.XY / m.YY * m.Y)));
        registry.Add(new MomentFunction("regr_r2", [], 2, "How much of y the line nearest to the pairs (y, x) explains, from 0 to 1.",
            static m => m.Count < 2 || m.YY == 0 ? null : m.XX == 0 ? 1 : m.XY * m.XY / (m.XX * m.YY)));
    }

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == count && arguments.All(argument => ImplicitCasts.Allows(argument.Type, DataType.Double))
            ? new Signature(arguments.ConvertAll(_ => DataType.Double), DataType.Double)
            : null;

    public override ValueList<DataType> StateTypes(AggregateCall call) => count == 1
        ? [DataType.BigInt, DataType.Double, DataType.Double]
        : [DataType.BigInt, DataType.Double, DataType.Double, DataType.Double, DataType.Double, DataType.Double];

    public override AggregateKernel Compile(AggregateCall call) => new MomentKernel(count == 2, of);
}

/// <summary>How many values there are, their means, and the sums of squares and products of what they differ from them.</summary>
/// <remarks>Kept by Welford's method, merged by Chan, Golub and LeVeque's (1979): nothing large is subtracted from something large.</remarks>
internal struct Moments
{
    public long Count;
    public double X, Y, XX, YY, XY;

    public void Add(double x, double y)
    {
        Count++;
        var (dx, dy) = (x - X, y - Y);
        X += dx / Count;
        Y += dy / Count;
        XX += dx * (x - X);
        YY += dy * (y - Y);
        XY += dx * (y - Y);
    }

    public void Merge(in Moments other)
    {
        if (other.Count == 0) return;
        var all = Count + other.Count;
        var (dx, dy) = (other.X - X, other.Y - Y);
        var weight = (double)Count * other.Count / all;
        XX += other.XX + (dx * dx * weight);
        YY += other.YY + (dy * dy * weight);
        XY += other.XY + (dx * dy * weight);
        X += dx * other.Count / all;
        Y += dy * other.Count / all;
        Count = all;
    }
}

/// <summary>Gathers the moments of groups.</summary>
internal sealed unsafe class MomentKernel(bool isPair, Func<Moments, double?> of) : AggregateKernel
{
    private readonly GroupArray<Moments> _moments = new();

    public override int BytesPerGroup => sizeof(Moments);

    public override void Grow(int groups) => _moments.Grow(groups);

    public override void Clear() => _moments.Clear();

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        var (x, y) = (new NumberOperand(arguments[0]), new NumberOperand(arguments[^1]));
        for (var i = 0; i < rows.Length; i++)
        {
            if (!arguments[0].IsNull(rows[i]) && !arguments[^1].IsNull(rows[i])) _moments.Items[groups[i]].Add(x[rows[i]], y[rows[i]]);
        }
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        var (x, y) = (new NumberOperand(arguments[0]), new NumberOperand(arguments[^1]));
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            for (var bits = MaskedSums.Word(mask, arguments[0], word, rows) & MaskedSums.Word(mask, arguments[^1], word, rows); bits != 0; bits &= bits - 1)
            {
                var row = (word << 6) + BitOperations.TrailingZeroCount(bits);
                _moments.Items[group].Add(x[row], y[row]);
            }
        }
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            var row = rows[i];
            var other = new Moments { Count = states[0].Value<long>(row), X = states[1].Value<double>(row), XX = states[2].Value<double>(row) };
            if (isPair) (other.Y, other.YY, other.XY) = (states[3].Value<double>(row), states[4].Value<double>(row), states[5].Value<double>(row));
            _moments.Items[groups[i]].Merge(other);
        }
    }

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap)
    {
        for (var i = 0; i < count; i++)
        {
            var moments = _moments.Items[first + i];
            ((long*)states[0].Data)[i] = moments.Count;
            ((double*)states[1].Data)[i] = moments.X;
            ((double*)states[2].Data)[i] = moments.XX;
            if (!isPair) continue;
            ((double*)states[3].Data)[i] = moments.Y;
            ((double*)states[4].Data)[i] = moments.YY;
            ((double*)states[5].Data)[i] = moments.XY;
        }
        foreach (var state in states) state.Set(count, false);
    }

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap)
    {
        var hasNulls = false;
        Bits.Fill(result.Validity, count);
        for (var i = 0; i < count; i++)
        {
            var value = of(_moments.Items[first + i]);
            ((double*)result.Data)[i] = value ?? 0;
            if (value is not null) continue;
            hasNulls = true;
            Bits.Clear(result.Validity, i);
        }
        result.Set(count, hasNulls);
    }
}
