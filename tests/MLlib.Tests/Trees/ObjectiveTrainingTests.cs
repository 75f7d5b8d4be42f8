using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.Tests.Trees;

/// <summary>What objectives make of training.</summary>
public sealed class ObjectiveTrainingTests
{
    [Fact]
    public void Rank_gradients_pull_the_better_row_up_and_sum_to_nothing()
    {
        var data = new TreeData { Values = [.. Enumerable.Range(0, 400).Select(i => (float)(i * 37 % 101))], Features = 1, Labels = [.. Enumerable.Range(0, 400).Select(i => (float)((i * 37 % 101) / 26))] };
        int[] queries = [.. Enumerable.Range(0, 21).Select(q => q * 20)];
        using var team = new ThreadTeam(2);
        using var shard = data.Shard(team, LoneTreeGroup.Instance, 0, 400, 1, queries);
        var options = new TreeTrainingOptions { Objective = new LambdaRankObjective(30), Iterations = 30, Metrics = ["ndcg@5"], Growth = new() { Leaves = 7 } };
        using var training = new TreeTraining(options, shard, team, LoneTreeGroup.Instance);
        training.Run();
        var history = training.Progress.History;
        Assert.True(history[^1].Value > 0.99, $"NDCG {history[0].Value} became {history[^1].Value}");
    }

    [Fact]
    public void Quantiles_are_found_by_leaves_of_the_quantile_objective()
    {
        var random = new Random(33);
        var data = TreeData.Make(4000, 4, 33, (x, r) => (x[2] > 0 ? 10 : 0) + (float)r.NextDouble());
        var trees = data.Train(new() { Objective = new QuantileObjective(0.9, isMedian: false), Iterations = 40, LearningRate = 0.3, Growth = new() { Leaves = 4 } });
        var below = Enumerable.Range(0, data.Rows).Count(row => data.Labels[row] <= data.Predict(trees, row)) / (double)data.Rows;
        Assert.InRange(below, 0.87, 0.93);
    }

    [Fact]
    public void A_loss_of_ones_own_trains_like_the_built_in_one()
    {
        var data = TreeData.Make(1500, 5, 34, TreeData.Number);
        var own = new CustomObjective((scores, labels, gradients, hessians) =>
        {
            for (var i = 0; i < scores.Length; i++) (gradients[i], hessians[i]) = (scores[i] - labels[i], 1);
        });
        var mine = data.Train(new() { Objective = own, Iterations = 5 });
        var built = data.Train(new() { Objective = new SquaredObjective(), Iterations = 5, BoostFromAverage = false });
        for (var row = 0; row < data.Rows; row += 17) Assert.Equal(data.Predict(built, row), data.Predict(mine, row), 6);
    }

    [Fact]
    public void Gradients_that_are_no_numbers_are_refused_with_a_reason()
    {
        var data = TreeData.Make(100, 4, 35, TreeData.Number);
        var broken = new CustomObjective((_, _, gradients, hessians) =>
        {
            gradients.Fill(double.NaN);
            hessians.Fill(1);
        });
        Assert.Contains("not a number", Assert.Throws<QueryException>(() => data.Train(new() { Objective = broken })).Message, StringComparison.Ordinal);
    }
}
