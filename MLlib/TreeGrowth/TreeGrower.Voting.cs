using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>
/// Voting: each shard keeps the histograms of its own rows, and names the columns that split its rows of a node best. Only those that most shards name are added up,
/// twice as many as each names: what travels does not grow with the columns.
/// </summary>
/// <remarks>Q. Meng et al. 2016, "A Communication-Efficient Parallel Algorithm for Decision Tree", NIPS, algorithm 2. Which columns win depends on how rows are shared out.</remarks>
internal sealed unsafe partial class TreeGrower
{
    private readonly bool votes;
    private readonly SplitFinder ownFinder;
    private readonly NativeArray<long>[] elected;

    /// <summary>Finds the splits of nodes that have histograms of this shard's rows.</summary>
    private void FindByVote(IReadOnlyList<GrowthNode> nodes, Gradients gradients)
    {
        var columns = Elect(nodes, gradients);

        // Sums of the columns that were elected, of all nodes in one exchange.
        var bins = rows.Layout.BinsOf;
        var starts = new int[nodes.Count + 1];
        for (var i = 0; i < nodes.Count; i++) starts[i + 1] = starts[i] + columns[i].Sum(column => bins[column]);
        var values = Message(0, starts[^1]);
        for (var i = 0; i < nodes.Count; i++) Copy(nodes[i], columns[i], values.Span[starts[i]..]);
        group.AllReduceSum(values.Span);
        team.Share(nodes.Count, (i, member) =>
        {
            var node = nodes[i];
            var room = elected[member].Pointer;
            var sums = values.Span[starts[i]..];
            foreach (var column in columns[i])
            {
                sums[..bins[column]].CopyTo(new Span<long>(room + rows.Layout.FirstCell[column], bins[column]));
                sums = sums[bins[column]..];
                var split = finder.Find(room, column, column + 1, node.Sums, gradients, node.Allowed);
                if (split.IsBetterThan(node.Split)) node.Split = split;
            }
        });
    }

    /// <summary>The columns to be looked at, of each node, ascending.</summary>
    private int[][] Elect(IReadOnlyList<GrowthNode> nodes, Gradients gradients)
    {
        // Of each node as many as a shard may name: the column, or -1, and its gain.
        var named = options.VotingColumns;
        var own = new long[nodes.Count * named * 2];
        team.Share(nodes.Count, (i, _) =>
        {
            var candidates = options.MaxDepth > 0 && nodes[i].Depth >= options.MaxDepth ? [] : Best(nodes[i], gradients, named);
            for (var k = 0; k < named; k++)
            {
                var place = ((i * named) + k) * 2;
                (own[place], own[place + 1]) = k < candidates.Length ? (candidates[k].Column, BitConverter.DoubleToInt64Bits(candidates[k].Gain)) : (-1, 0);
            }
        });
        var all = group.AllGather<long>(own);
        var winners = new int[nodes.Count][];
        for (var i = 0; i < winners.Length; i++)
        {
            var found = new Dictionary<int, (int Votes, double Gain)>();
            foreach (var shard in all)
            {
                for (var k = 0; k < named; k++)
                {
                    var place = ((i * named) + k) * 2;
                    if (shard[place] < 0) break;
                    var (before, gain) = found.GetValueOrDefault((int)shard[place]);
                    found[(int)shard[place]] = (before + 1, gain + BitConverter.Int64BitsToDouble(shard[place + 1]));
                }
            }
            winners[i] = [.. found.OrderByDescending(each => each.Value.Votes).ThenByDescending(each => each.Value.Gain).ThenBy(each => each.Key).Take(2 * named).Select(each => each.Key).Order()];
        }
        return winners;
    }

    /// <summary>The columns that split this shard's rows best.</summary>
    private (int Column, double Gain)[] Best(GrowthNode node, Gradients gradients, int named)
    {
        var histogram = pool[node.Slot];
        var sums = node.Sums with { Count = node.Rows, Total = 0 };
        for (var bin = 0; bin < rows.Layout.BinsOf[0]; bin++) sums.Total += histogram[bin];
        var found = new List<(int Column, double Gain)>();
        for (var column = 0; column < rows.Layout.Columns; column++)
        {
            var split = ownFinder.Find(histogram, column, column + 1, sums, gradients, node.Allowed);
            if (split.Exists) found.Add((column, split.Gain));
        }
        return [.. found.OrderByDescending(each => each.Gain).ThenBy(each => each.Column).Take(named)];
    }

    private void Copy(GrowthNode node, int[] columns, Span<long> values)
    {
        foreach (var column in columns)
        {
            var count = rows.Layout.BinsOf[column];
            new ReadOnlySpan<long>(pool[node.Slot] + rows.Layout.FirstCell[column], count).CopyTo(values);
            values = values[count..];
        }
    }

    private void ExpandByVote(List<GrowthNode> batch, Gradients gradients)
    {
        team.Share(batch.Count, (i, member) =>
        {
            Part(batch[i]);
            MakeFromRows(batch[i], gradients, member);
            Complete(batch[i]);
        });
        var counts = batch.Select(node => (long)node.Left!.Rows).ToArray();
        group.AllReduceSum(counts);
        for (var i = 0; i < counts.Length; i++) SetCounts(batch[i], counts[i]);
        FindByVote([.. batch.SelectMany(node => new[] { node.Left!, node.Right! })], gradients);
    }
}
