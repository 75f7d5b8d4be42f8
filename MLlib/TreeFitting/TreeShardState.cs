using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.Trees;
using Dataflow.Tasks;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>A shard between jobs: its rows as bins, the trees so far, and the threads that grow them. Used by one task at a time.</summary>
internal sealed class TreeShardState : IDisposable
{
    private const int BudgetParts = 8;
    private const int SampleRowsPerBin = 16;

    private TreeShardState(TreeShard shard, TreeShard? validation, TreeTraining training, ThreadTeam team, CollectiveTreeGroup group) =>
        (Shard, Validation, Training, Team, Group) = (shard, validation, training, team, group);

    public TreeShard Shard { get; }

    public TreeShard? Validation { get; }

    public TreeTraining Training { get; }

    public ThreadTeam Team { get; }

    public CollectiveTreeGroup Group { get; }

    /// <summary>How many trees it has if the last job ended well; -1 while a job works with it.</summary>
    public int Trees { get; set; } = -1;

    /// <summary>Bins the rows of a shard. All shards of the group call it at once.</summary>
    /// <param name="plan">What is trained.</param>
    /// <param name="shards">The numbers of rows.</param>
    /// <param name="loaded">The shard's partitions.</param>
    /// <param name="group">The other shards.</param>
    /// <param name="before">The trees so far.</param>
    /// <param name="services">The executor: its memory budget says whether bins lie in a file.</param>
    public static TreeShardState Build(
        TreeFitPlan plan, TreeShards shards, IReadOnlyList<(int Partition, LoadedRows Rows)> loaded, CollectiveTreeGroup group, IReadOnlyList<Tree> before, ExecutorServices services)
    {
        var team = new ThreadTeam(shards.Slots);
        TreeShard? shard = null, validation = null;
        try
        {
            var ordered = loaded.OrderBy(each => each.Partition).ToArray();
            var rows = Blocks(ordered, shards.FirstRows, each => each.Blocks);
            var mappers = BinSample.Find([.. rows.Select(each => each.Source)], plan.CategoricalFeatures(shards.Widths), plan.MaxBins, Math.Max(plan.SampleRows, SampleRowsPerBin * plan.MaxBins), team, group);
            var layout = BinLayout.Of(mappers);
            var watched = plan.ValidationAt >= 0 ? Blocks(ordered, shards.FirstValidationRows, each => each.Validation) : [];

            // Bins are there twice, for histograms and for splitting, where there is memory; in a file once.
            var binBytes = 2L * layout.Columns * layout.NumberBytes * rows.Concat(watched).Sum(each => (long)each.Block.Rows);
            var folder = binBytes > services.Memory.TotalBytes / BudgetParts ? services.Temp.Folder : null;
            shard = ShardOf(plan, rows, layout, team, group, folder);
            if (plan.ValidationAt >= 0) validation = ShardOf(plan, watched, layout, team, group, folder);
            var options = plan.Options with { Growth = plan.Options.Growth with { HistogramBytes = Math.Min(plan.Options.Growth.HistogramBytes, LeastMemory(group, services) / BudgetParts) } };
            return new TreeShardState(shard, validation, new TreeTraining(options, shard, team, group, validation, before), team, group);
        }
        catch
        {
            validation?.Dispose();
            shard?.Dispose();
            team.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Training.Dispose();
        Validation?.Dispose();
        Shard.Dispose();
        Team.Dispose();
    }

    // Shards must keep as many histograms as each other: what one has kept it does not ask for.
    private static long LeastMemory(CollectiveTreeGroup group, ExecutorServices services)
    {
        var least = new[] { -(double)services.Memory.TotalBytes };
        group.AllReduceMax(least);
        return (long)-least[0];
    }

    private static List<(LoadedBlock Block, RowSource Source)> Blocks((int Partition, LoadedRows Rows)[] loaded, long[] firstRows, Func<LoadedRows, LoadedBlock[]> which)
    {
        var blocks = new List<(LoadedBlock, RowSource)>();
        foreach (var (partition, rows) in loaded)
        {
            var first = firstRows[partition];
            foreach (var block in which(rows))
            {
                blocks.Add((block, block.At(first)));
                first += block.Rows;
            }
        }
        return blocks;
    }

    private static TreeShard ShardOf(TreeFitPlan plan, List<(LoadedBlock Block, RowSource Source)> blocks, BinLayout layout, ThreadTeam team, CollectiveTreeGroup group, string? folder)
    {
        var others = blocks.ConvertAll(block => block.Block);
        var scores = plan.InitialScoreAt < 0 ? null : Enumerable.Range(0, plan.Options.Objective.Scores).SelectMany(i => Join(others, plan.InitialScoreAt + i, static value => value)).ToArray();
        return new TreeShard
        {
            Rows = BinnedRows.Of([.. blocks.Select(each => each.Source)], layout, team, group, folder),
            Labels = Join(others, 0, static value => (float)value),
            Weights = plan.WeightAt < 0 ? null : Join(others, plan.WeightAt, static value => (float)value),
            InitialScores = scores,
            Queries = plan.QueryAt < 0 ? null : Queries(Join(others, plan.QueryAt, static value => value), Join(others, plan.QueryAt + 1, static value => value), plan.User),
        };
    }

    // Where the rows of each query begin; those of one stand together.
    private static int[] Queries(double[] high, double[] low, string user)
    {
        if (high.Length == 0) return [0];
        if (Array.FindIndex(high, double.IsNaN) >= 0) throw new QueryException("INVALID_QUERY", $"{user} was given rows whose query is NULL. Filter them first, or give each a query of its own.");
        List<int> starts = [0];
        for (var i = 1; i < high.Length; i++)
        {
            if (high[i] != high[i - 1] || low[i] != low[i - 1]) starts.Add(i);
        }
        return [.. starts, high.Length];
    }

    private static T[] Join<T>(List<LoadedBlock> blocks, int at, Func<double, T> convert)
    {
        var all = new T[blocks.Sum(block => block.Rows)];
        var next = 0;
        foreach (var block in blocks)
        {
            foreach (var value in block.Other(at)) all[next++] = convert(value);
        }
        return all;
    }
}
