using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>A shard between jobs: its rows as bins, the trees so far, and the threads that grow them. Used by one task at a time.</summary>
internal sealed class TreeShardState : IDisposable
{
    private TreeShardState(TreeShard shard, TreeTraining training, ThreadTeam team, CollectiveTreeGroup group) =>
        (Shard, Training, Team, Group) = (shard, training, team, group);

    public TreeShard Shard { get; }

    public TreeTraining Training { get; }

    public ThreadTeam Team { get; }

    public CollectiveTreeGroup Group { get; }

    /// <summary>How many trees it has if the last job ended well; -1 while a job works with it.</summary>
    public int Trees { get; set; } = -1;

    /// <summary>Bytes it takes, about.</summary>
    public long Bytes => (long)Shard.Rows.Rows * ((2L * Shard.Rows.Layout.Columns) + 40);

    /// <summary>Bins the rows of a shard. All shards of the group call it at once.</summary>
    public static TreeShardState Build(TreeFitPlan plan, TreeShards shards, IReadOnlyList<(int Partition, LoadedRows Rows)> loaded, CollectiveTreeGroup group)
    {
        var team = new ThreadTeam(shards.Slots);
        TreeShard? shard = null;
        try
        {
            var blocks = new List<(LoadedBlock Block, RowSource Source)>();
            foreach (var (partition, rows) in loaded.OrderBy(each => each.Partition))
            {
                var first = shards.FirstRows[partition];
                foreach (var block in rows.Blocks)
                {
                    blocks.Add((block, block.At(first)));
                    first += block.Rows;
                }
            }
            RowSource[] sources = [.. blocks.Select(block => block.Source)];
            var mappers = BinSample.Find(sources, plan.CategoricalFeatures(shards.Widths), plan.MaxBins, plan.SampleRows, team, group);
            var bins = BinnedRows.Of(sources, BinLayout.Of(mappers), team, group);
            var others = blocks.ConvertAll(block => (block.Block.Rows, block.Block.Others));
            shard = new TreeShard
            {
                Rows = bins,
                Labels = Singles(others, 0)!,
                Weights = Singles(others, plan.WeightAt),
                InitialScores = Doubles(others, plan.InitialScoreAt),
                Queries = plan.QueryAt < 0 ? null : Queries(Doubles(others, plan.QueryAt)!),
            };
            var training = new TreeTraining(plan.Options, shard, team, group);
            return new TreeShardState(shard, training, team, group);
        }
        catch
        {
            shard?.Dispose();
            team.Dispose();
            throw;
        }
    }

    /// <summary>What the model remembers of features.</summary>
    public FeatureInfo[] FeatureInfos() => Array.ConvertAll(Shard.Rows.Layout.Mappers, mapper =>
        mapper.IsConstant ? FeatureInfo.Unused : mapper.Categories is { } categories ? FeatureInfo.Categorical(categories) : FeatureInfo.Numeric(mapper.Minimum, mapper.Maximum));

    public void Dispose()
    {
        Training.Dispose();
        Shard.Dispose();
        Team.Dispose();
    }

    // Where the rows of each query begin; those of one stand together.
    private static int[] Queries(double[] numbers)
    {
        List<int> starts = [0];
        for (var i = 1; i < numbers.Length; i++)
        {
            if (!numbers[i].Equals(numbers[i - 1])) starts.Add(i);
        }
        return [.. starts, numbers.Length];
    }

    private static float[]? Singles(List<(int Rows, double[][] Others)> blocks, int at) => at < 0 ? null : Join(blocks, at, static value => (float)value);

    private static double[]? Doubles(List<(int Rows, double[][] Others)> blocks, int at) => at < 0 ? null : Join(blocks, at, static value => value);

    private static T[] Join<T>(List<(int Rows, double[][] Others)> blocks, int at, Func<double, T> convert)
    {
        var all = new T[blocks.Sum(block => block.Rows)];
        var next = 0;
        foreach (var (rows, others) in blocks)
        {
            for (var i = 0; i < rows; i++) all[next++] = convert(others[at][i]);
        }
        return all;
    }
}
