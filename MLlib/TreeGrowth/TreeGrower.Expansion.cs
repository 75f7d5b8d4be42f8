using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>Expansion: rows parted, histograms made, best splits of the children found.</summary>
internal sealed unsafe partial class TreeGrower
{
    private void BeginRoot(GrowthNode root, Gradients gradients)
    {
        root.Slot = pool.Take();
        MakeByTeam(root, gradients, pool[root.Slot]);
        if (!votes) group.AllReduceSum(new Span<long>(pool[root.Slot], cells));
        var total = new long[1];
        for (var bin = 0; bin < rows.Layout.BinsOf[0]; bin++) total[0] += pool[root.Slot][bin];
        if (votes) group.AllReduceSum(total);
        root.Sums.Total = total[0];
        Find([root], gradients);
        Release(root);
    }

    private void Expand(List<GrowthNode> batch, Gradients gradients, bool last)
    {
        if (batch.Count == 1)
        {
            ExpandByTeam(batch[0], gradients, last);
            return;
        }

        // Slots are taken in a fixed order, before threads begin.
        foreach (var node in batch) MakeChildren(node, gradients);
        foreach (var node in batch) TakeSlots(node);
        if (group.Shards == 1)
        {
            team.Share(batch.Count, (i, member) =>
            {
                var node = batch[i];
                Part(node);
                (node.Left!.Sums.Count, node.Right!.Sums.Count) = (node.Left.Rows, node.Right.Rows);
                MakeFromRows(node, gradients, member);
                Complete(node);
                Find(node.Left, gradients);
                Find(node.Right, gradients);
            });
        }
        else if (votes)
        {
            ExpandByVote(batch, gradients);
        }
        else
        {
            // While the sums of some nodes travel, those of the next are made.
            var pieces = batch.Chunk(Math.Max(2, team.Size)).ToArray();
            var exchanges = new Exchange[pieces.Length];
            for (var place = 0; place < pieces.Length; place++)
            {
                var piece = pieces[place];
                team.Share(piece.Length, (i, member) =>
                {
                    Part(piece[i]);
                    MakeFromRows(piece[i], gradients, member);
                });
                exchanges[place] = BeginReduce(piece, place);
            }
            for (var place = 0; place < pieces.Length; place++)
            {
                var piece = pieces[place];
                EndReduce(exchanges[place]);
                team.Share(piece.Length, (i, _) =>
                {
                    Complete(piece[i]);
                    Find(piece[i].Left!, gradients);
                    Find(piece[i].Right!, gradients);
                });
            }
            ShareSplits([.. batch.SelectMany(node => new[] { node.Left!, node.Right! })]);
        }
        foreach (var node in batch)
        {
            Release(node.Left!);
            Release(node.Right!);
        }
    }

    private void ExpandByTeam(GrowthNode node, Gradients gradients, bool last)
    {
        MakeChildren(node, gradients);
        var column = rows.Layout.ColumnOf[node.Split.Feature];
        var table = stackalloc byte[rows.Layout.BinsOf[column]];
        SplitFinder.Table(rows.Layout, node.Split, table);
        var bins = rows.Column(column);
        SetRows(node, node.Rows >= TeamRows ? Lists.PartByTeam(node.Start, node.Rows, bins, table) : Lists.Part(node.Start, node.Rows, bins, table));
        if (last)
        {
            CountTogether(node);
            pool.Return(node.Slot);
            node.Slot = -1;
            return;
        }
        TakeSlots(node);
        foreach (var child in node.Made) MakeByTeam(child, gradients, pool[child.Slot]);
        if (group.Shards == 1 || votes) CountTogether(node);
        else EndReduce(BeginReduce([node], 0));
        Complete(node);
        Find([node.Left!, node.Right!], gradients);
        Release(node.Left!);
        Release(node.Right!);
    }

    private void MakeChildren(GrowthNode node, Gradients gradients)
    {
        var split = node.Split;
        var (left, right) = Children(node, gradients);
        var path = options.Rules.Interactions is null ? node.Path : [.. node.Path, split.Feature];
        node.Left = new() { Start = node.Start, Depth = node.Depth + 1, Sums = left, Path = path, Id = RowHash.Bits(node.Id, 0), ExtraL2 = split.ExtraL2 };
        node.Right = new() { Depth = node.Depth + 1, Sums = right, Path = path, Id = RowHash.Bits(node.Id, 1), ExtraL2 = split.ExtraL2 };
        node.Left.Allowed = features.Of(path, node.Left.Id);
        node.Right.Allowed = features.Of(path, node.Right.Id);
    }

    private (NodeSums Left, NodeSums Right) Children(GrowthNode node, Gradients gradients)
    {
        var left = node.Sums with { Total = node.Split.Left };
        var right = node.Sums with { Total = node.Sums.Total - node.Split.Left };
        if (options.Rules.Monotone is null || options.Rules.Monotone[node.Split.Feature] == 0) return (left, right);

        // Halfway between the children's values: what is below one of them never passes what is below the other.
        var terms = SplitTerms.Of(node.Sums, gradients, options.Rules);
        var l2 = options.Rules.L2 + node.Split.ExtraL2;
        var middle = (terms.Output(left.Total, options.Rules, l2) * 0.5) + (terms.Output(right.Total, options.Rules, l2) * 0.5);
        if (options.Rules.Monotone[node.Split.Feature] > 0) (left.Upper, right.Lower) = (middle, middle);
        else (left.Lower, right.Upper) = (middle, middle);
        return (left, right);
    }

    /// <summary>The child with fewer rows by the estimate that all shards share.</summary>
    private static GrowthNode Smaller(GrowthNode node) => (uint)node.Left!.Sums.Total <= (uint)node.Right!.Sums.Total ? node.Left : node.Right;

    /// <summary>Gives both children a slot and says whose histogram is made from rows: both where the parent's is not there.</summary>
    private void TakeSlots(GrowthNode node)
    {
        var smaller = Smaller(node);
        var larger = smaller == node.Left ? node.Right! : node.Left!;
        open.Remove(node);
        smaller.Slot = TakeSlot();
        node.Made = node.Slot >= 0 ? [smaller] : [smaller, larger];
        larger.Slot = node.Slot >= 0 ? node.Slot : TakeSlot();
        node.Slot = -1;
    }

    /// <summary>A free slot, or that of the leaf that gains least.</summary>
    private int TakeSlot()
    {
        var slot = pool.Take();
        if (slot >= 0) return slot;
        var least = open[0];
        foreach (var node in open)
        {
            if (node.Split.Gain < least.Split.Gain) least = node;
        }
        open.Remove(least);
        (slot, least.Slot) = (least.Slot, -1);
        return slot;
    }

    private void Part(GrowthNode node)
    {
        var column = rows.Layout.ColumnOf[node.Split.Feature];
        var table = stackalloc byte[rows.Layout.BinsOf[column]];
        SplitFinder.Table(rows.Layout, node.Split, table);
        SetRows(node, Lists.Part(node.Start, node.Rows, rows.Column(column), table));
    }

    private static void SetRows(GrowthNode node, int left)
    {
        node.Left!.Rows = left;
        node.Right!.Start = node.Start + left;
        node.Right.Rows = node.Rows - left;
    }

    private void MakeFromRows(GrowthNode node, Gradients gradients, int member)
    {
        foreach (var child in node.Made)
        {
            new Span<long>(pool[child.Slot], cells).Clear();
            Make(Lists.Rows + child.Start, 0, child.Rows, gradients, pool[child.Slot], member);
        }
    }

    /// <summary>The parent's histogram becomes that of the larger child.</summary>
    private void Complete(GrowthNode node)
    {
        if (node.Made.Length == 2) return;
        var smaller = node.Made[0];
        var larger = smaller == node.Left ? node.Right! : node.Left!;
        HistogramKernel.Subtract(pool[larger.Slot], pool[smaller.Slot], cells);
    }

    private void Find(GrowthNode node, Gradients gradients)
    {
        if (options.MaxDepth > 0 && node.Depth >= options.MaxDepth) return;
        node.Split = finder.Find(pool[node.Slot], Searched.From, Searched.To, node.Sums, gradients, node.Allowed);
    }

    private void Find(GrowthNode[] nodes, Gradients gradients)
    {
        if (votes)
        {
            FindByVote(nodes, gradients);
            return;
        }
        FindByTeam(nodes, gradients);
        ShareSplits(nodes);
    }

    private void FindByTeam(GrowthNode[] nodes, Gradients gradients)
    {
        var (from, to) = Searched;
        var columns = to - from;
        var parts = Math.Min(Math.Max(1, columns), team.Size);
        var found = new SplitCandidate[nodes.Length * parts];
        team.Share(found.Length, (i, _) =>
        {
            var node = nodes[i / parts];
            var part = i % parts;
            found[i] = options.MaxDepth > 0 && node.Depth >= options.MaxDepth ? SplitCandidate.None
                : finder.Find(pool[node.Slot], from + (columns * part / parts), from + (columns * (part + 1) / parts), node.Sums, gradients, node.Allowed);
        });
        for (var i = 0; i < found.Length; i++)
        {
            if (found[i].IsBetterThan(nodes[i / parts].Split)) nodes[i / parts].Split = found[i];
        }
    }

    private void Release(GrowthNode node)
    {
        if (node.Split.Exists)
        {
            open.Add(node);
            return;
        }
        pool.Return(node.Slot);
        node.Slot = -1;
    }
}
