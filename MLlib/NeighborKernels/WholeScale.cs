namespace Dataflow.MLlib.NeighborKernels;

/// <summary>
/// How rows and queries become 16-bit whole numbers, and what that loses at most. With r^ the rounded row and q^ the rounded query,
/// |q.r - q^.r^| is at most |q - q^| |r| + |q^| |r - r^|, and 2ab is at most b a^2 + b^2 / b for any weight b: so half of the margin belongs to the row and half to the query.
/// </summary>
/// <remarks>Rounded lengths are below 2^15 on both sides, so that no inner product, nor any part of one, passes 2^30 (Cauchy-Schwarz). Steps are powers of two: rows of whole
/// numbers, such as pixels, lose nothing.</remarks>
internal sealed unsafe class WholeScale
{
    private const double LongestRounded = 32_767;
    private const double FloatError = 8.0 / (1 << 24);
    private const double LongestOfUsual = 64;
    private readonly double _room;
    private readonly double _weight;

    private WholeScale(int features, double longest, double weight)
    {
        _room = LongestRounded - Math.Sqrt(features);
        LongestSquared = longest * longest;
        Step = StepOf(longest);
        _weight = weight;
    }

    /// <summary>Distance of neighbouring values of rows.</summary>
    public double Step { get; }

    /// <summary>Squared length of the longest row that is rounded.</summary>
    public double LongestSquared { get; }

    /// <summary>Measures rows; null if they have too many features, differ too much in length, or lie so close together that rounding would hide who is near.</summary>
    public static WholeScale? TryMake(Panels panels, int threads)
    {
        var rows = panels.Rows;
        if (rows.Features > 1 << 20 || rows.Features < 8 || rows.Count < 64 || !WholeTiles.AreFast) return null;
        var lengths = new double[rows.Count];
        var isCosine = panels.Kind == DistanceMetric.Cosine;
        SharedWork.Run((rows.Count + 4095) / 4096, threads, run =>
        {
            var placed = new double[rows.Features];
            for (var r = run * 4096; r < Math.Min(rows.Count, (run + 1) * 4096); r++)
                lengths[r] = panels.Place(rows.Pointer + ((long)r * rows.Features), isCosine ? rows.Norms[r] : 1, placed);
        });
        var sorted = (double[])lengths.Clone();
        Array.Sort(sorted);
        var usual = Math.Sqrt(sorted[rows.Count / 2]);
        var longest = Math.Sqrt(sorted[rows.Count - 1 - (rows.Count / 2000)]);
        if (!(usual > 0) || !(longest <= usual * LongestOfUsual)) return null;

        // A usual row loses about 0.29 steps a feature; equal weights make the margins of both sides equally large.
        var scale = new WholeScale(rows.Features, longest, 1);
        var weight = Math.Max(1e-6, 0.29 * scale.Step * Math.Sqrt(rows.Features) / usual);
        scale = new WholeScale(rows.Features, longest, weight);
        return scale.IsFineEnough(panels, usual) ? scale : null;
    }

    /// <summary>What a row's margin is, doubled inner products: squared length, squared loss.</summary>
    public double MarginOfRow(double length, double rest) => (length * (_weight + FloatError)) + (rest / _weight);

    /// <summary>The query's.</summary>
    public double MarginOfQuery(double length, double rest) => (rest / _weight) + (_weight * 1.001 * (length + rest + (2 * Math.Sqrt(length * rest)))) + (length * FloatError);

    /// <summary>Rounds a query with a step of its own.</summary>
    /// <returns>The step, and the squared length of what is lost.</returns>
    public (double Step, double Lost) RoundQuery(ReadOnlySpan<double> query, double length, short* packed, int stride)
    {
        var step = length > 0 ? StepOf(Math.Sqrt(length)) : 1;
        return (step, Round(query, step, packed, stride));
    }

    /// <summary>Rounds a row.</summary>
    /// <returns>The squared length of what is lost.</returns>
    public double RoundRow(ReadOnlySpan<double> row, short* packed, int stride) => Round(row, Step, packed, stride);

    private static double Round(ReadOnlySpan<double> values, double step, short* packed, int stride)
    {
        double rest = 0;
        var factor = 1 / step;
        for (var i = 0; i < values.Length; i++)
        {
            var rounded = Math.Round(values[i] * factor);
            packed[((i >> 1) * stride * 2) + (i & 1)] = (short)rounded;
            var lost = values[i] - (rounded * step);
            rest += lost * lost;
        }
        if ((values.Length & 1) != 0) packed[((values.Length >> 1) * stride * 2) + 1] = 0;
        return rest * (1 + 1e-9);
    }

    private double StepOf(double length) => Math.ScaleB(1, Math.ILogB(length / _room) + 1);

    // Margins of both sides against the distance of the nearest of a sample: where rows lie together in a far place, floats or doubles must tell them apart.
    private bool IsFineEnough(Panels panels, double usual)
    {
        if (panels.Kind is DistanceMetric.Cosine or DistanceMetric.InnerProduct) return true;
        var rows = panels.Rows;
        var sample = Math.Min(rows.Count, 300);
        var near = new double[sample];
        var (a, b) = (new double[rows.Features], new double[rows.Features]);
        for (var s = 0; s < sample; s++)
        {
            near[s] = double.PositiveInfinity;
            panels.Place(rows.Pointer + ((long)s * rows.Count / sample * rows.Features), 1, a);
            for (var t = 0; t < sample; t += 3)
            {
                if (s == t) continue;
                panels.Place(rows.Pointer + ((long)t * rows.Count / sample * rows.Features), 1, b);
                double distance = 0;
                for (var i = 0; i < a.Length; i++) distance += (a[i] - b[i]) * (a[i] - b[i]);
                near[s] = Math.Min(near[s], distance);
            }
        }
        Array.Sort(near);
        return 4 * _weight * usual * usual <= 0.05 * near[sample / 2];
    }
}
