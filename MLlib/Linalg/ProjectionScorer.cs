using Dataflow.MLlib.Data;
using Dataflow.MLlib.Linalg;

namespace Dataflow.MLlib.Linalg;

/// <summary>Products of (row - shift) and the rows of a matrix.</summary>
internal sealed class ProjectionScorer(string name, double[] matrix, double[] shift, int width) : RowScorer(name)
{
    public override int Width => width;

    public override bool GivesVector => true;

    public override int OutputWidth(int width) => matrix.Length / width;

    public override void Score(ReadOnlySpan<double> rows, int count, int width, Span<double> output)
    {
        var size = matrix.Length / width;
        var row = new double[width];
        for (var i = 0; i < count; i++)
        {
            for (var j = 0; j < width; j++) row[j] = rows[(i * width) + j] - shift[j];
            for (var k = 0; k < size; k++) output[(i * size) + k] = RowProducts.Multiply(row, matrix.AsSpan(k * width, width));
        }
    }
}
