using Dataflow.MLlib.Data;
using Dataflow.MLlib.TreeFitting;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.Tests.TreeFitting;

/// <summary>Trees trained on frames.</summary>
public sealed class TreeFitTests
{
    [Fact]
    public async Task Partitions_and_threads_do_not_change_a_bit()
    {
        var expected = await Train(1, 1);
        Assert.True(expected.Length > 100);
        Assert.Equal(expected, await Train(1, 1));
        Assert.Equal(expected, await Train(1, 7));
        Assert.Equal(expected, await Train(2, 1));
        Assert.Equal(expected, await Train(2, 7));
    }

    private static async Task<string> Train(int threads, int partitions)
    {
        using var context = DataflowContext.Local(threads);
        var random = new Random(3);
        var rows = Enumerable.Range(0, 5000).Select(i =>
        {
            var (a, b, c) = (random.NextDouble(), random.NextDouble(), random.Next(10));
            return (A: a, B: (float)b, C: i % 11 == 0 ? (double?)null : c, Y: a + (b * c) > 3 ? 1.0 : 0);
        }).ToArray();
        var frame = context.FromRecords(rows, partitions);
        var features = FeatureColumns.Of(frame, ["Item1", "Item2", "Item3"], "test");
        var plan = new TreeFitPlan("test", features, new TreeTrainingOptions { Iterations = 20 });
        var result = await TreeFit.RunAsync(context, plan with { Options = plan.Options with { Objective = new BinaryObjective() } }, (_, given) => given, features.Select(frame, "test", "Item4"), null, default);
        Assert.Equal(5000, result.Rows);
        return string.Join('|', result.Ensemble.Trees.Select(tree => string.Join(',', tree.Features) + ":" + string.Join(',', tree.Thresholds) + ":" + string.Join(',', tree.LeafValues)));
    }
}
