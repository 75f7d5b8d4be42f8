namespace Dataflow.MLlib.TreeFitting;

/// <summary>What growing trees takes of memory for certain, so that too little of it is told before rows are binned and not after minutes.</summary>
internal static class TreeMemory
{
    // Label, place in its leaf, row lists and sums; bins, and rows that wait for them, may lie in files and are not counted.
    private const long BytesOfRow = 24;

    // A score and its gradients.
    private const long BytesOfScore = 16;

    /// <summary>Bytes that rows take while trees grow.</summary>
    /// <param name="rows">Rows that are learned from.</param>
    /// <param name="watched">Rows that are only watched.</param>
    /// <param name="scores">Scores of a row: one, or one a class.</param>
    public static long Of(long rows, long watched, int scores) => (rows * (BytesOfRow + (BytesOfScore * scores))) + (watched * (8 + (8L * scores)));

    /// <summary>Refuses more than an executor has.</summary>
    /// <param name="rows">Rows that are learned from, on this executor.</param>
    /// <param name="watched">Rows that are only watched, on this executor.</param>
    /// <param name="scores">Scores of a row.</param>
    /// <param name="budget">Its memory budget in bytes.</param>
    /// <param name="user">Which learner.</param>
    /// <exception cref="QueryException">They do not fit.</exception>
    public static void Check(long rows, long watched, int scores, long budget, string user)
    {
        var needed = Of(rows, watched, scores);
        if (needed <= budget) return;
        var classes = scores > 1 ? $" with {scores} scores each" : "";
        throw new QueryException("TOO_MANY_ROWS",
            $"{user} has {rows + watched:N0} rows or more for one executor{classes}, which take about {needed >> 20:N0} MB while trees grow, besides bins and histograms, "
            + $"and the executor's memory budget is {budget >> 20:N0} MB. Set DataflowOptions.MemoryBytes to {(needed + (needed / 2)) >> 20:N0} MB or more, add executors, or learn from fewer rows.");
    }

    /// <summary>Refuses partitions that do not fit the executors that hold them.</summary>
    public static void Check(IEnumerable<LoadedPartition> partitions, int scores, string user)
    {
        foreach (var executor in partitions.GroupBy(partition => partition.Executor))
            Check(executor.Sum(partition => partition.Rows), executor.Sum(partition => partition.ValidationRows), scores, executor.Min(partition => partition.MemoryBytes), user);
    }
}
