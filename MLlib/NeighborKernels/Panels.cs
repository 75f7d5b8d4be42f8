namespace Dataflow.MLlib.NeighborKernels;

/// <summary>
/// Rows as <see cref="Tiles"/> read them, with what makes the filter safe. A sum of products F of the tile, with the row's offset, is a lower bound of the key as long as
/// it is compared with the query's threshold: the rounding errors of both sides are in offset and threshold.
/// </summary>
/// <remarks>
/// With u = 2^-24 and d features, a float inner product errs by at most (d + 3) u |q||r| (Higham 2002, section 3.1), whatever the order and with or without fused operations, and
/// 2 |q||r| &lt;= |q|^2 + |r|^2, so that half of the error belongs to the row and half to the query. Euclidean rows are moved by a middle of the rows, which leaves distances and makes
/// lengths small; all are scaled by a power of two. Rows too long for that are zeros with an offset of minus infinity: they always pass.
/// </remarks>
internal sealed unsafe class Panels
{
    private readonly AlignedFloats _values;
    private readonly AlignedFloats _offsets;
    private readonly double[] _middle;
    private readonly double _scale;
    private readonly WholeScale? _whole;

    public Panels(RowSet rows, DistanceMetric kind, int threads, bool allowsWhole = true)
    {
        Rows = rows;
        Kind = kind;
        Features = rows.Features;
        Count = (rows.Count + Tiles.Rows - 1) / Tiles.Rows;
        Error = FloatBounds.ErrorOf(Features);
        _offsets = new AlignedFloats((long)Count * Tiles.Rows);
        _middle = new double[Features];
        _scale = 1;
        if (kind != DistanceMetric.Cosine) _scale = Measure();
        if (kind == DistanceMetric.Cosine) _ = rows.Norms;
        _whole = allowsWhole ? WholeScale.TryMake(this, threads) : null;
        Slots = _whole is null ? Features : (Features + 1) / 2;
        _values = new AlignedFloats((long)Count * Tiles.Rows * Slots);
        SharedWork.Run((Count + 63) / 64, threads, run =>
        {
            for (var panel = run * 64; panel < Math.Min(Count, (run + 1) * 64); panel++) Pack(panel);
        });
    }

    public RowSet Rows { get; }

    public DistanceMetric Kind { get; }

    public int Features { get; }

    public int Count { get; }

    /// <summary>Whether values are 16-bit whole numbers, two features a slot (<see cref="WholeTiles"/>), or floats.</summary>
    public bool IsWhole => _whole is not null;

    /// <summary>Places of four bytes that a row takes in a panel.</summary>
    public int Slots { get; }

    public float* Offsets => _offsets.Pointer;

    /// <summary>Largest relative error of a pair's sum.</summary>
    private double Error { get; }

    public float* Panel(int panel) => _values.Pointer + ((long)panel * Tiles.Rows * Slots);

    /// <summary>Packs a query as one of a tile's, and gives what turns the best key so far into its threshold.</summary>
    /// <param name="query">Its features, as they came.</param>
    /// <param name="norm">Its squared length.</param>
    /// <param name="packed">Where its first value goes; the next is <see cref="Tiles.Queries"/> further.</param>
    public QueryThreshold PackQuery(float* query, double norm, float* packed)
    {
        if (_whole is not null) return PackWholeQuery(query, norm, packed);
        var stride = Tiles.Queries;
        if (Kind is DistanceMetric.Euclidean or DistanceMetric.SquaredEuclidean)
        {
            double length = 0;
            for (var i = 0; i < Features; i++)
            {
                var value = (query[i] - _middle[i]) * _scale;
                length += value * value;
            }
            if (!(length < 1e24)) return Direct(packed);
            for (var i = 0; i < Features; i++) packed[i * stride] = (float)((query[i] - _middle[i]) * _scale * -2);
            return new QueryThreshold(_scale * _scale, (length * (Error + Slack)) - length + Tiny);
        }

        if (norm == 0) return Direct(packed);
        var root = Math.Sqrt(norm);
        for (var i = 0; i < Features; i++) packed[i * stride] = (float)(query[i] / root * -1);
        return Kind == DistanceMetric.Cosine ? new QueryThreshold(1, Error - 1 + Tiny) : new QueryThreshold(_scale / root, (Error / 2) + Tiny);
    }

    /// <summary>What differs in double precision, far below <see cref="Error"/>.</summary>
    private double Slack => (Features + 16) * Math.Pow(2, -50);

    /// <summary>Products that lose digits because they are too small.</summary>
    private double Tiny => (Features + 16) * Math.Pow(2, -140);

    private QueryThreshold Direct(float* packed)
    {
        for (var i = 0; i < Slots; i++) packed[i * Tiles.Queries] = 0;
        return new QueryThreshold(0, double.PositiveInfinity);
    }

    /// <summary>A row or query where distances of panels are measured: moved and scaled, or of length 1.</summary>
    /// <returns>Its squared length.</returns>
    public double Place(float* row, double norm, Span<double> to)
    {
        double length = 0;
        var factor = Kind == DistanceMetric.Cosine ? (norm > 0 ? 1 / Math.Sqrt(norm) : 0) : _scale;
        for (var i = 0; i < to.Length; i++)
        {
            to[i] = (row[i] - _middle[i]) * factor;
            length += to[i] * to[i];
        }
        return length;
    }

    private QueryThreshold PackWholeQuery(float* query, double norm, float* packed)
    {
        Span<double> placed = Features <= 1024 ? stackalloc double[Features] : new double[Features];
        var isProduct = Kind is DistanceMetric.Cosine or DistanceMetric.InnerProduct;
        if (isProduct && norm == 0) return Direct(packed);
        double length = 0;
        if (Kind == DistanceMetric.InnerProduct)
        {
            var root = Math.Sqrt(norm);
            for (var i = 0; i < placed.Length; i++)
            {
                placed[i] = query[i] / root;
                length += placed[i] * placed[i];
            }
        }
        else
        {
            length = Place(query, norm, placed);
        }
        if (!(length < 1e24)) return Direct(packed);
        var (step, rest) = _whole!.RoundQuery(placed, length, (short*)packed, Tiles.Queries);
        var part = isProduct ? 0.5 : 1;
        var margin = part * _whole.MarginOfQuery(length, rest);
        var factor = (float)(-2 * part * step * _whole.Step);
        return Kind switch
        {
            DistanceMetric.Cosine => new QueryThreshold(1, margin - 1 + Tiny, factor),
            DistanceMetric.InnerProduct => new QueryThreshold(_scale / Math.Sqrt(norm), margin + Tiny, factor),
            _ => new QueryThreshold(_scale * _scale, margin - length + (length * Slack) + Tiny, factor),
        };
    }

    private void PackWhole(int panel)
    {
        Span<double> placed = Features <= 1024 ? stackalloc double[Features] : new double[Features];
        var offsets = Offsets + ((long)panel * Tiles.Rows);
        var isProduct = Kind is DistanceMetric.Cosine or DistanceMetric.InnerProduct;
        for (var lane = 0; lane < Tiles.Rows; lane++)
        {
            var position = (panel * Tiles.Rows) + lane;
            offsets[lane] = float.PositiveInfinity;
            if (position >= Rows.Count) continue;
            var length = Place(Rows.Pointer + ((long)position * Features), Kind == DistanceMetric.Cosine ? Rows.Norms[position] : 1, placed);
            if (!(length <= _whole!.LongestSquared))
            {
                offsets[lane] = float.NegativeInfinity;
                continue;
            }
            var rest = _whole.RoundRow(placed, (short*)(Panel(panel) + lane), Tiles.Rows);
            var margin = _whole.MarginOfRow(length, rest);
            offsets[lane] = MathF.BitDecrement((float)(isProduct ? margin * -0.5 : length - margin));
        }
    }

    /// <summary>The middle of the rows, feature by feature, and the power of two that makes a usual row about 1 long: both from a sample, since neither decides any answer.</summary>
    private double Measure()
    {
        var sample = Math.Min(Rows.Count, 255);
        if (sample == 0) return 1;
        var column = new float[sample];
        var lengths = new double[sample];
        for (var i = 0; i < Features; i++)
        {
            for (var s = 0; s < sample; s++) column[s] = Rows.Pointer[((long)s * Rows.Count / sample * Features) + i];
            if (Kind != DistanceMetric.InnerProduct)
            {
                Array.Sort(column);
                _middle[i] = column[sample / 2];
            }
        }
        for (var s = 0; s < sample; s++)
        {
            var row = Rows.Pointer + ((long)s * Rows.Count / sample * Features);
            for (var i = 0; i < Features; i++) lengths[s] += (row[i] - _middle[i]) * (row[i] - _middle[i]);
        }
        Array.Sort(lengths);
        var usual = Math.Sqrt(lengths[sample / 2] > 0 ? lengths[sample / 2] : lengths[^1]);
        return usual > 0 ? Math.ScaleB(1, -Math.ILogB(usual)) : 1;
    }

    private void Pack(int panel)
    {
        if (_whole is not null)
        {
            PackWhole(panel);
            return;
        }
        var packed = Panel(panel);
        var offsets = Offsets + ((long)panel * Tiles.Rows);
        var stride = Tiles.Rows;
        for (var lane = 0; lane < stride; lane++)
        {
            var position = (panel * stride) + lane;
            if (position >= Rows.Count)
            {
                offsets[lane] = float.PositiveInfinity;
                continue;
            }
            var row = Rows.Pointer + ((long)position * Features);
            if (Kind == DistanceMetric.Cosine)
            {
                var root = Math.Sqrt(Rows.Norms[position]);
                if (root == 0) continue;
                for (var i = 0; i < Features; i++) packed[(i * stride) + lane] = (float)(row[i] / root);
                continue;
            }

            double length = 0;
            for (var i = 0; i < Features; i++)
            {
                var value = (row[i] - _middle[i]) * _scale;
                length += value * value;
                packed[(i * stride) + lane] = (float)value;
            }
            if (!(length < 1e24))
            {
                for (var i = 0; i < Features; i++) packed[(i * stride) + lane] = 0;
                offsets[lane] = float.NegativeInfinity;
            }
            else
            {
                offsets[lane] = MathF.BitDecrement((float)(Kind == DistanceMetric.InnerProduct ? length * Error * -0.5 : length * (1 - Error)));
            }
        }
    }
}

/// <summary>Turns the best key so far into the threshold that sums of a tile are compared with.</summary>
/// <param name="SumFactor">What sums of whole numbers are multiplied by.</param>
internal readonly record struct QueryThreshold(double Factor, double Addend, float SumFactor = 1)
{
    public float Of(double key)
    {
        if (key == double.PositiveInfinity || Addend == double.PositiveInfinity) return float.PositiveInfinity;
        var scaled = key * Factor;
        return MathF.BitIncrement((float)(scaled + (Math.Abs(scaled) * 1e-10) + Addend));
    }
}
