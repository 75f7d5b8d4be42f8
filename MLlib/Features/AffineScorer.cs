using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.Features;

/// <summary>(x - shift) * factor + offset, feature by feature: what all scalers come to.</summary>
internal sealed class AffineScorer(string name, double[] shift, double[] factor, bool compresses, double[]? offset = null) : RowScorer(name)
{
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
