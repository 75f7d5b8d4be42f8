using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.Scaling;

/// <summary>(x - shift) * factor + offset, feature by feature: what all scalers come to.</summary>
internal sealed class AffineScorer(string name, double[] shift, double[] factor, bool compresses, double[]? offset = null) : RowScorer(name)
{
    /// <summary>What dividing by a range multiplies by; 1 for features that are constant, or as good as.</summary>
    public static double Factor(double range) => range > 0 && double.IsFinite(1 / range) ? 1 / range : 1;

    /// <summary>Refuses ranges that are beyond 64 bits.</summary>
    /// <exception cref="QueryException">One is; names the feature.</exception>
    public static double[] CheckRanges(double[] ranges, FeatureColumns columns, string user)
    {
        var at = Array.FindIndex(ranges, double.IsInfinity);
        return at < 0 ? ranges : throw new QueryException("ARITHMETIC_OVERFLOW",
            $"The range of {(columns.KnownWidth > 0 ? $"column '{columns.Names[at]}'" : $"feature {at} of {string.Join(", ", columns.Names)}")} is beyond 64 bits, so {user} can't divide by it. Divide that column first.");
    }

    public override int Width => shift.Length;

    public override bool GivesVector => true;

    public override bool Compresses => compresses;

    public override int OutputWidth(int width) => width;

    // Of one column of vectors nothing is made dense, if zeros stay zeros.
    public override Column Of(DataFrame frame, FeatureColumns columns) => columns.Count == 1 && columns.IsVector[0] && offset is null && Array.TrueForAll(shift, each => each == 0)
        ? Functions.Call(new ScaleFunction(Name, factor, columns.Names[0]), columns.In(frame))
        : base.Of(frame, columns);

    public override void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> output)
    {
        for (var row = 0; row < count; row++)
        {
            var from = rows.Slice(row * width, width);
            var to = output.Slice(row * width, width);
            for (var i = 0; i < to.Length; i++) to[i] = (from[i] - shift[i]) * factor[i];
            for (var i = 0; offset is not null && i < to.Length; i++) to[i] += offset[i];
        }
    }
}
