using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>
/// Grows one tree after the other on the rows of a shard: the leaf with the greatest gain is split next. All shards of a group call it alike and grow the same
/// tree, since they decide from the same sums.
/// </summary>
/// <remarks>
/// Only the smaller child's histogram is made from rows; the other's is the rest of its parent's. Leaves that are likely to be split soon are expanded together:
/// one exchange between shards serves them all, and small nodes keep every thread busy. Which leaves become part of the tree, and in which order, is decided
/// afterwards exactly as if they had been expanded one by one.
/// </remarks>
internal sealed unsafe partial class TreeGrower : IDisposable
{
    // Rows from which all threads work on one node.
    private const int TeamRows = 24_576;

    // Leaves that are expanded together, at most.
    private const int LargestBatch = 16;

    // Rows that are packed and added before the next ones are packed.
    private const int StepRows = 4096;

    private readonly BinnedRows rows;
    private readonly ThreadTeam team;
    private readonly ITreeGroup group;
    private readonly GrowthOptions options;
    private readonly SplitFinder finder;
    private readonly FeatureChoice features;
    private readonly HistogramPool pool;
    private readonly HistogramPool scratch;
    private readonly int[] scratchSlots;
    private readonly NativeArray<byte>[] steps;
    private readonly int cells;

    // Fewer where histograms are so large that not many fit.
    private readonly int largestBatch;

    // Leaves that could be split and have a histogram.
    private readonly List<GrowthNode> open = [];

    public TreeGrower(BinnedRows rows, GrowthOptions options, ThreadTeam team, ITreeGroup group)
    {
        (this.rows, this.options, this.team, this.group) = (rows, options, team, group);
        cells = rows.Layout.Cells;
        owned = Owned(rows.Layout.BinsOf, group.Shards);
        share = Enumerable.Range(0, IsScattered ? group.Shards : 1).Max(shard => rows.Layout.BinsOf[OwnedBy(shard).From..OwnedBy(shard).To].Sum());
        finder = new(rows.Layout, rows.HasMissing, options.Rules);
        votes = options.VotingColumns > 0 && group.Shards > 1 && rows.Layout.Columns > 2 * options.VotingColumns;
        ownFinder = new(rows.Layout, rows.HasMissing, options.Rules with { MinLeafRows = options.Rules.MinLeafRows / group.Shards, MinLeafWeight = options.Rules.MinLeafWeight / group.Shards });
        elected = [.. Enumerable.Range(0, votes ? team.Size : 0).Select(_ => new NativeArray<long>(cells))];
        features = new(rows.Layout.Features, options.FeaturesByTree, options.FeaturesByNode * options.Subset.Share(rows.Layout.Features), options.Rules.Interactions, options.Seed);
        Lists = new(rows.Rows, team);
        var slots = options.HistogramBytes / Math.Max(1, cells * 8L);
        largestBatch = rows.Layout.IsWide ? (int)Math.Clamp((slots - 2) / 2, 4, LargestBatch) : LargestBatch;
        pool = new(cells, (int)Math.Clamp(slots, 2L + (2 * largestBatch), options.Leaves + (2L * largestBatch)));
        scratch = new(cells, team.Size);
        steps = [.. Enumerable.Range(0, team.Size).Select(_ => new NativeArray<byte>(StepRows * (sizeof(long) + rows.RowBytes)))];
        scratchSlots = [.. Enumerable.Range(0, team.Size - 1).Select(_ => scratch.Take())];
    }

    /// <summary>The rows of the leaves of the last tree.</summary>
    public RowLists Lists { get; }

    /// <summary>Grows a tree.</summary>
    /// <param name="gradients">Of all rows.</param>
    /// <param name="count">How many rows of this shard take part: the first of <see cref="Lists"/>, which the caller has filled.</param>
    /// <param name="globalRows">Rows of all shards that take part.</param>
    /// <param name="tree">The tree's number, which its features are drawn by.</param>
    public GrownTree Grow(Gradients gradients, int count, long globalRows, long tree)
    {
        features.Begin(tree);
        var root = new GrowthNode { Rows = count, Allowed = features.Of([], 1), Sums = new() { Count = globalRows, Lower = double.NegativeInfinity, Upper = double.PositiveInfinity } };
        var leaves = new List<GrowthNode>(options.Leaves) { root };
        var splits = new List<GrowthNode>(options.Leaves);
        if (cells > 0 && options.Leaves > 1)
        {
            BeginRoot(root, gradients);
            while (leaves.Count < options.Leaves && Next(leaves) is { } node)
            {
                if (!node.IsExpanded) Expand(Batch(leaves, node), gradients, last: leaves.Count + 1 == options.Leaves);
                node.Place = splits.Count;
                splits.Add(node);
                leaves[leaves.IndexOf(node)] = node.Left!;
                leaves.Add(node.Right!);
            }
        }
        for (var i = 0; i < leaves.Count; i++) leaves[i].Place = ~i;
        ReturnSlots(leaves);
        return new(splits, leaves, gradients);
    }

    public void Dispose()
    {
        Lists.Dispose();
        pool.Dispose();
        scratch.Dispose();
        foreach (var step in steps) step.Dispose();
        foreach (var room in elected) room.Dispose();
    }

    /// <summary>The leaf whose split gains most; among equals the one that has been a leaf for longest. Null if none can be split.</summary>
    private GrowthNode? Next(List<GrowthNode> leaves)
    {
        GrowthNode? best = null;
        foreach (var leaf in leaves)
        {
            if (!leaf.Split.Exists) continue;
            if (best is null || (options.LevelWise && leaf.Depth < best.Depth) || ((!options.LevelWise || leaf.Depth == best.Depth) && leaf.Split.Gain > best.Split.Gain))
                best = leaf;
        }
        return best;
    }

    /// <summary>The leaf that is next, and others that are likely to follow soon.</summary>
    private List<GrowthNode> Batch(List<GrowthNode> leaves, GrowthNode first)
    {
        var batch = new List<GrowthNode> { first };
        var remaining = options.Leaves - leaves.Count;
        var wanted = group.Shards > 1 ? Math.Min(Math.Min(4, largestBatch), remaining / 4) : first.Sums.Count >= TeamRows ? 1 : Math.Min(Math.Min(largestBatch, 2 * team.Size), remaining / 4);
        if (wanted < 2 || (group.Shards == 1 && team.Size == 1)) return batch;
        var others = leaves.Where(leaf => leaf != first && leaf.Split.Exists && !leaf.IsExpanded && (group.Shards > 1 || leaf.Sums.Count < TeamRows));
        batch.AddRange(others.OrderByDescending(leaf => leaf.Split.Gain).Take(wanted - 1));
        return batch;
    }

    private void ReturnSlots(List<GrowthNode> leaves)
    {
        open.Clear();
        foreach (var leaf in leaves) Return(leaf);

        void Return(GrowthNode node)
        {
            pool.Return(node.Slot);
            node.Slot = -1;
            if (!node.IsExpanded) return;
            Return(node.Left!);
            Return(node.Right!);
            node.Left = node.Right = null;
        }
    }
}
