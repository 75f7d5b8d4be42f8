using Dataflow.MLlib.Data;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>Which partitions are trained on together: those of one executor. Travels to executors.</summary>
/// <param name="Layout">How often the rows were laid out before.</param>
/// <param name="Groups">The partitions of each shard; first one that its executor holds.</param>
/// <param name="FirstRows">By partition: the number of its first row in the whole data set.</param>
/// <param name="FirstValidationRows">The same of the rows that are only watched.</param>
/// <param name="Widths">Elements of each feature column.</param>
/// <param name="Slots">Slots that a shard's task takes, and threads that it works with.</param>
internal sealed record TreeShards(int Layout, int[][] Groups, long[] FirstRows, long[] FirstValidationRows, int[] Widths, int Slots)
{
    private string[] Executors { get; init; } = [];

    /// <summary>Rows in all.</summary>
    public long Rows { get; private init; }

    /// <summary>Makes shards of what the executors hold.</summary>
    /// <exception cref="QueryException">There are no rows, or vectors of different sizes.</exception>
    public static TreeShards Of(IReadOnlyList<LoadedPartition> partitions, int layout, TreeFitPlan plan)
    {
        var ordered = partitions.OrderBy(partition => partition.Partition).ToArray();
        var (first, firstWatched) = (new long[ordered.Length], new long[ordered.Length]);
        long rows = 0, watched = 0;
        for (var i = 0; i < ordered.Length; i++)
        {
            (first[i], firstWatched[i]) = (rows, watched);
            rows += ordered[i].Rows;
            watched += ordered[i].ValidationRows;
        }
        if (rows == 0 && watched > 0)
            throw new QueryException("EMPTY_INPUT", $"{plan.User} was told to only watch all {watched:N0} rows, and is left with none to learn from. Mark fewer in {nameof(GradientBoostedTreesRegressor.ValidationColumn)}.");
        if (rows == 0) throw FeatureMoments.NoRows(plan.User);
        if (plan.ValidationAt >= 0 && watched == 0)
            throw new QueryException("EMPTY_INPUT", $"{plan.User} was told which rows to validate with, and no row is marked. Mark some, or leave {nameof(GradientBoostedTreesRegressor.ValidationColumn)} out.");

        // Executors without a row take no part.
        var filled = ordered.Where(partition => partition.Rows > 0).GroupBy(partition => partition.Executor).ToArray();
        var widths = filled[0].First().VectorWidths;
        foreach (var partition in ordered)
        {
            if (partition.Rows + partition.ValidationRows == 0 || partition.VectorWidths.SequenceEqual(widths)) continue;
            var column = Enumerable.Range(0, widths.Length).First(i => widths[i] != partition.VectorWidths[i]);
            throw new QueryException("VECTOR_SIZE_MISMATCH",
                $"Column '{plan.Features.Names[column]}' holds vectors of {widths[column]} elements and of {partition.VectorWidths[column]}. All rows of a feature column must have one size.");
        }
        if (widths.Sum() == 0) throw new QueryException("INVALID_FEATURE", $"{plan.User} was given feature vectors without elements, from which nothing can be learned.");
        var sets = Together(ordered);
        int[][] groups = [.. Balanced(sets.Where(set => RowsIn(set) > 0)).Select(group => group.Select(partition => partition.Partition).ToArray())];
        groups[0] = [.. groups[0], .. sets.Where(set => RowsIn(set) == 0).SelectMany(set => set).Select(partition => partition.Partition)];
        return new TreeShards(layout, groups, first, firstWatched, widths, filled.Min(group => group.Min(partition => partition.Slots)))
        {
            Executors = [.. ordered.Select(partition => partition.Executor)],
            Rows = rows,
        };
    }

    /// <summary>Partitions that belong together since a query begins in one and goes on in the next; most stand alone.</summary>
    private static List<List<LoadedPartition>> Together(LoadedPartition[] ordered)
    {
        var sets = new List<List<LoadedPartition>>();
        LoadedPartition? before = null, watchedBefore = null;
        foreach (var partition in ordered)
        {
            List<LoadedPartition> set = [partition];
            if (partition.Queries is { } queries)
            {
                if (before?.Queries!.GoesOnIn(queries) == true) Join(before);
                before = partition;
            }
            if (partition.ValidationQueries is { } watched)
            {
                if (watchedBefore?.ValidationQueries!.GoesOnIn(watched) == true) Join(watchedBefore);
                watchedBefore = partition;
            }
            sets.Add(set);

            void Join(LoadedPartition other)
            {
                if (set.Contains(other)) return;
                var earlier = sets.Find(each => each.Contains(other))!;
                sets.Remove(earlier);
                set.InsertRange(0, earlier);
            }
        }
        return sets;
    }

    /// <summary>The partitions of each executor. Of one that has far more rows than another some go there, and are read again: all wait for the slowest.</summary>
    private static IEnumerable<IEnumerable<LoadedPartition>> Balanced(IEnumerable<List<LoadedPartition>> sets)
    {
        List<List<LoadedPartition>>[] groups = [.. sets.GroupBy(set => set[0].Executor).Select(group => group.ToList())];
        while (groups.Length > 1)
        {
            var most = groups.MaxBy(RowsOf)!;
            var least = groups.MinBy(RowsOf)!;
            var difference = RowsOf(most) - RowsOf(least);

            // What helps most is half of the difference. A tenth less to do is worth reading; nothing less would go to and fro for ever.
            var moved = most.MinBy(set => Math.Abs((2 * RowsIn(set)) - difference))!;
            if (Math.Min(RowsIn(moved), difference - RowsIn(moved)) < Math.Max(1, RowsOf(most) / 10)) break;
            most.Remove(moved);

            // Last: the executor that holds the first one is where the group goes.
            least.Add(moved);
        }
        return groups.Select(group => group.SelectMany(set => set));

        static long RowsOf(List<List<LoadedPartition>> group) => group.Sum(RowsIn);
    }

    private static long RowsIn(List<LoadedPartition> set) => set.Sum(partition => partition.Rows);

    /// <summary>Whether an executor holds rows.</summary>
    public bool Holds(string executor) => Executors.Contains(executor);
}
