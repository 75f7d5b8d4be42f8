using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>How neighbours' labels come together. Weights are summed from the nearest to the farthest: the same bits every time.</summary>
/// <param name="K">Neighbours.</param>
/// <param name="Weights">By distance.</param>
/// <param name="WeightOf">Instead of that, the user's.</param>
/// <param name="Breadth">As in <see cref="SearchOptions"/>.</param>
internal sealed record Voting(int K, NeighborWeights Weights, Func<double, double>? WeightOf, int Breadth)
{
    /// <summary>Weights of neighbours, nearest first.</summary>
    public void Weigh(ReadOnlySpan<double> distances, Span<double> weights)
    {
        if (WeightOf is not null)
        {
            for (var i = 0; i < weights.Length; i++)
            {
                weights[i] = WeightOf(distances[i]);
                if (!(weights[i] >= 0) || double.IsInfinity(weights[i]))
                    throw new QueryException("INVALID_WEIGHT", $"WeightOf gave {weights[i]} for the distance {distances[i]}. Weights are finite numbers of 0 or more.");
            }
        }
        else if (Weights == NeighborWeights.Uniform)
        {
            weights.Fill(1);
        }
        else
        {
            var zero = distances.Length > 0 && distances[0] == 0;
            for (var i = 0; i < weights.Length; i++) weights[i] = zero ? (distances[i] == 0 ? 1 : 0) : 1 / distances[i];
        }
    }

    /// <summary>Parameters that are saved.</summary>
    public void Save(ModelFolder folder)
    {
        if (WeightOf is not null)
            throw new InvalidOperationException("A model with a weight of one's own (WeightOf) can't be saved: it is code. Save one with Weights, or make the model anew where it is used.");
        folder.Set("k", K);
        folder.Set("weights", Weights);
        folder.Set("breadth", Breadth);
    }

    /// <summary>Reads them.</summary>
    /// <exception cref="InvalidDataException">They do not fit the index.</exception>
    public static Voting Load(ModelFolder folder, NeighborIndex index)
    {
        var voting = new Voting(folder.Get<int>("k"), folder.Get<NeighborWeights>("weights"), null, folder.Get<int>("breadth"));
        if (voting.K < 1 || voting.K > index.Rows.Count) throw new InvalidDataException($"'k' is {voting.K}, and must be from 1 to the {index.Rows.Count:N0} rows there are");
        if (voting.Breadth < 1 || (voting.Breadth > 1_000_000 && index.Algorithm == NeighborAlgorithm.Hnsw)) throw new InvalidDataException($"'breadth' is {voting.Breadth}, which can't be");
        if (!Enum.IsDefined(voting.Weights)) throw new InvalidDataException($"'weights' is {(int)voting.Weights}, which is none of {string.Join(", ", Enum.GetNames<NeighborWeights>())}");
        return voting;
    }
}
