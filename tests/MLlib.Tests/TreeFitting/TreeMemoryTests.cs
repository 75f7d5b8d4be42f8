using Dataflow.MLlib.TreeFitting;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.TreeFitting;

/// <summary>Too little memory for trees is told before they grow.</summary>
public sealed class TreeMemoryTests
{
    [Fact]
    public void Rows_that_can_not_fit_are_an_error_before_the_first_tree()
    {
        // Partition by partition, and all of an executor: the second fit has no partition that is too large by itself.
        var lines = Program.RunWithout("avx512", "tree-memory").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        foreach (var line in lines)
        {
            Assert.StartsWith("TOO_MANY_ROWS 0 rounds", line, StringComparison.Ordinal);
            Assert.Contains("memory budget is 224 MB", line, StringComparison.Ordinal);
            Assert.Contains("DataflowOptions.MemoryBytes", line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void More_scores_a_row_take_more_memory_and_what_fits_passes()
    {
        TreeMemory.Check(1_000_000, 0, 1, 41 << 20, "Learner");
        TreeMemory.Check(0, 0, 3, 1, "Learner");
        var error = Assert.Throws<QueryException>(() => TreeMemory.Check(1_000_000, 100_000, 10, 41 << 20, "Learner"));
        Assert.Contains("Learner has 1,100,000 rows or more for one executor with 10 scores each", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Run in a process of its own: 224 MB for everything, and 8 million rows.</summary>
    internal static string Refused()
    {
        using var temp = new TempDirectory();
        return string.Join('\n', new[] { 1, 8 }.Select(partitions =>
        {
            using var context = DataflowContext.Local(DataflowOptions.Default with { Threads = 2, MemoryBytes = 224 << 20, TempFolder = temp.Path });
            var rounds = 0;
            var learner = new GradientBoostedTreesRegressor { FeatureColumns = ["x"], LabelColumn = "y", Trees = 3, Metrics = ["rmse"], Progress = _ => rounds++ };
            try
            {
                learner.Fit(context.Range(0, 8_000_000, partitions: partitions).ToDataFrame().SelectExpr("value % 1000 / 8.0D AS x", "value % 7 AS y"));
                return "It fits.";
            }
            catch (QueryException e)
            {
                return $"{e.ErrorClass} {rounds} rounds: {e.Message.ReplaceLineEndings(" ")}";
            }
        }));
    }
}
