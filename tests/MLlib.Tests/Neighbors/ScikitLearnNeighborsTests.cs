using System.Globalization;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>Neighbours, votes and means as scikit-learn gave them: <c>tests/Peers/neighbors.py</c> wrote the file.</summary>
public sealed class ScikitLearnNeighborsTests
{
    private const int Rows = 60, Queries = 8, Features = 5;

    private sealed record Labelled(Vector Features, double Class, double Value);

    private static readonly ILookup<string, (int Query, double[] Values)> Cases = File.ReadLines(Path.Combine(RepositoryRoot.Path, "tests/data/sklearn/neighbors.csv")).Skip(1)
        .Select(line => line.Split(',')).ToLookup(parts => parts[0], parts => (int.Parse(parts[1], CultureInfo.InvariantCulture), parts[2..].Select(part => double.Parse(part, CultureInfo.InvariantCulture)).ToArray()));

    private static float[] Values(int rows, int shift, Func<float, float>? change = null)
    {
        var values = new float[rows * Features];
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < Features; c++)
            {
                var value = ((((r * 37) + (c * 101) + (shift * 53) + (r * c * 7)) % 97) / 8f) - 4;
                values[(r * Features) + c] = change is null ? value : change(value);
            }
        }
        return values;
    }

    [Theory]
    [InlineData("Euclidean", DistanceMetric.Euclidean, 2)]
    [InlineData("SquaredEuclidean", DistanceMetric.SquaredEuclidean, 2)]
    [InlineData("Cosine", DistanceMetric.Cosine, 2)]
    [InlineData("Manhattan", DistanceMetric.Manhattan, 2)]
    [InlineData("Chebyshev", DistanceMetric.Chebyshev, 2)]
    [InlineData("Minkowski:3", DistanceMetric.Minkowski, 3)]
    [InlineData("Minkowski:1.5", DistanceMetric.Minkowski, 1.5)]
    [InlineData("Hamming", DistanceMetric.Hamming, 2)]
    [InlineData("Jaccard", DistanceMetric.Jaccard, 2)]
    public void Neighbours_are_those_of_scikit_learn(string name, DistanceMetric metric, double power)
    {
        Func<float, float>? change = metric switch
        {
            DistanceMetric.Hamming => value => MathF.Floor(value / 3),
            DistanceMetric.Jaccard => value => MathF.Floor(value / 3) > 0 ? 1 : 0,
            _ => null,
        };
        var model = new NearestNeighbors { K = 4, Metric = metric, MinkowskiPower = power }.Fit(Values(Rows, 0, change), Features);
        var queries = Values(Queries, 1, change);
        Assert.Equal(Queries, Cases[name].Count());
        foreach (var (query, expected) in Cases[name])
        {
            var found = model.Search(queries.AsSpan(query * Features, Features));
            for (var i = 0; i < 4; i++)
            {
                // Which of equally far rows come first, scikit-learn leaves open.
                var distance = expected[(2 * i) + 1];
                Assert.True(Math.Abs(found[i].Distance - distance) <= 1e-9 * Math.Max(1, distance), $"{name}, query {query}: {found[i]}, expected {expected[2 * i]} at {distance}");
                if (found.Count(each => Math.Abs(each.Distance - distance) < 1e-7) == 1 && i < 3) Assert.Equal(expected[2 * i], found[i].Id);
            }
        }
    }

    [Theory]
    [InlineData(NeighborWeights.Uniform)]
    [InlineData(NeighborWeights.Distance)]
    public void Votes_and_means_are_those_of_scikit_learn(NeighborWeights weights)
    {
        using var context = DataflowContext.Local(2);
        var values = Values(Rows, 0);
        var frame = context.FromRecords(Enumerable.Range(0, Rows).Select(r =>
        {
            var label = ((r * 5) + (r / 7)) % 3;
            return new Labelled(Vector.Dense(values.AsSpan(r * Features, Features)), label, (label * 1.5) + values[r * Features]);
        }), 3);
        var queries = Array.ConvertAll(Values(Queries, 1), value => (double)value);
        var classifier = new KNeighborsClassifier { K = 5, Weights = weights, FeaturesColumn = "Features", LabelColumn = "Class" }.Fit(frame);
        var regressor = new KNeighborsRegressor { K = 5, Weights = weights, FeaturesColumn = "Features", LabelColumn = "Value" }.Fit(frame);
        var name = weights.ToString().ToLowerInvariant();
        foreach (var (query, expected) in Cases["votes:" + name]) Assert.Equal(expected, classifier.PredictProbabilities(queries.AsSpan(query * Features, Features)), (a, b) => Math.Abs(a - b) < 1e-9);
        foreach (var (query, expected) in Cases["mean:" + name]) Assert.Equal(expected[0], regressor.Predict(queries.AsSpan(query * Features, Features)), 1e-9);
    }
}
