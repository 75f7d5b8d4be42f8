using Dataflow.MLlib.Features;

namespace Dataflow.MLlib.Scaling;

/// <summary>Multiplies the elements of a vector by factors. Zeros stay zeros, so sparse vectors are worked on as they are stored.</summary>
/// <param name="name">How plans and errors call it.</param>
/// <param name="factors">One for each element.</param>
/// <param name="column">The column of vectors, for errors.</param>
internal sealed class ScaleFunction(string name, double[] factors, string column) : StoredFunction(name, nullable: false)
{
    // As the other scorers do: nothing is known of any element.
    private readonly double[] _missing = [.. Enumerable.Repeat(double.NaN, factors.Length)];

    public override double[]? Missing => _missing;

    public override void Check(int size)
    {
        if (size == factors.Length) return;
        throw new QueryException("VECTOR_SIZE_MISMATCH", $"{Name} was made for {factors.Length} features, and column {column} gives {size}. Transform what the model was fitted with.");
    }

    public override void Apply(ReadOnlySpan<int> places, Span<double> values)
    {
        for (var i = 0; i < values.Length; i++) values[i] *= factors[places[i]];
    }
}
