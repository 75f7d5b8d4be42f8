using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Neighbors;

/// <summary>Neighbours found by executors, to which all goes as bytes, are those found in this process.</summary>
public sealed class ShippedNeighborsTests
{
    private sealed record Item(long Id, Vector Features, double Label);

    private static Item[] Items(int count, int seed)
    {
        var values = NaiveNeighbors.Values(new Random(seed), count, 9, "clusters");
        return [.. Enumerable.Range(0, count).Select(i => new Item(i, Vector.Dense(values.AsSpan(i * 9, 9)), i % 3))];
    }

    private static string[] Answers(DataflowContext context)
    {
        var rows = context.FromRecords(Items(150, 1), 3);
        var queries = context.FromRecords(Items(40, 2), 2);
        var answers = new List<string>();
        foreach (var algorithm in new[] { NeighborAlgorithm.BruteForce, NeighborAlgorithm.BallTree, NeighborAlgorithm.Hnsw, NeighborAlgorithm.Ivf })
        {
            var model = new NearestNeighbors { K = 3, FeaturesColumn = "Features", IdColumn = "Id", Algorithm = algorithm, CodeBytes = 3 }.Fit(rows);
            answers.AddRange(model.Transform(queries).OrderBy("Id").Collect().Select(row => $"{algorithm} {row.Get<Vector>("neighbors")} {row.Get<Vector>("distances")}"));
        }
        var classifier = new KNeighborsClassifier { K = 4, FeaturesColumn = "Features", LabelColumn = "Label" }.Fit(rows);
        answers.AddRange(classifier.Transform(queries).OrderBy("Id").Collect().Select(row => $"{row.Get<double>("prediction")} {row.Get<Vector>("probability")}"));
        var regressor = new KNeighborsRegressor { K = 4, FeaturesColumn = "Features", LabelColumn = "Label", WeightOf = distance => 1 / (1 + distance) }.Fit(rows);
        answers.AddRange(regressor.Transform(queries).OrderBy("Id").Collect().Select(row => $"{row.Get<double>("prediction"):R}"));
        foreach (var side in new[] { BroadcastSide.Rows, BroadcastSide.Queries })
        {
            var join = new NearestNeighborsJoin { K = 3, FeatureColumns = ["Features"], IdColumn = "Id", Side = side };
            answers.AddRange(join.Join(queries, rows).OrderBy("query_id", "rank").Collect().Select(row => $"{row.Get<long>("query_id")} {row.Get<int>("rank")} {row.Get<long>("id")} {row.Get<double>("distance"):R}"));
        }
        return [.. answers];
    }

    [Fact]
    public void Executors_give_the_same()
    {
        using var shipped = ShippingBackend.Context(DataflowOptions.Default with { Threads = 2 });
        using var here = DataflowContext.Local(2);
        Assert.Equal(Answers(here), Answers(shipped));
    }
}
