using System.Globalization;
using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.Trees;

/// <summary>Adds a tree's values to the scores of binned rows: those that were not grown on, those for validation, and all rows when training goes on from trees
/// that are there already. Gives the very bits that training on these rows gave.</summary>
internal static unsafe class TreeOnBins
{
    private const int ChunkRows = 8192;

    /// <summary>Adds leaf values times a factor to scores.</summary>
    /// <exception cref="ArgumentException">The tree was grown on other bins, so that binned rows can't tell where a row goes.</exception>
    public static void Add(Tree tree, BinnedRows rows, double* scores, double factor, ThreadTeam team)
    {
        if (tree.LeafCount == 1)
        {
            var value = tree.LeafValues[0] * factor;
            for (var i = 0; i < rows.Rows; i++) scores[i] += value;
            return;
        }
        var (tables, wide) = Ways(tree, rows.Layout);
        team.Share((rows.Rows + ChunkRows - 1) / ChunkRows, (chunk, _) =>
        {
            var end = Math.Min(rows.Rows, (chunk + 1) * ChunkRows);
            if (wide is not null)
            {
                for (var row = chunk * ChunkRows; row < end; row++) scores[row] += tree.LeafValues[WideLeaf(tree, rows, wide, row)] * factor;
                return;
            }
            fixed (byte* table = tables)
            {
                for (var row = chunk * ChunkRows; row < end; row++) scores[row] += tree.LeafValues[Leaf(tree, rows, table, row)] * factor;
            }
        });
    }

    /// <summary>Adds to scores of some rows.</summary>
    public static void Add(Tree tree, BinnedRows rows, int* list, int count, double* scores, ThreadTeam team)
    {
        if (count == 0) return;
        var (tables, wide) = tree.LeafCount == 1 ? ([], null) : Ways(tree, rows.Layout);
        team.Share((count + ChunkRows - 1) / ChunkRows, (chunk, _) =>
        {
            var end = Math.Min(count, (chunk + 1) * ChunkRows);
            if (wide is not null)
            {
                for (var k = chunk * ChunkRows; k < end; k++) scores[list[k]] += tree.LeafValues[WideLeaf(tree, rows, wide, list[k])];
                return;
            }
            fixed (byte* table = tables)
            {
                for (var k = chunk * ChunkRows; k < end; k++) scores[list[k]] += tree.LeafValues[tables.Length == 0 ? 0 : Leaf(tree, rows, table, list[k])];
            }
        });
    }

    private static int Leaf(Tree tree, BinnedRows rows, byte* tables, int row)
    {
        var node = 0;
        do
        {
            var bins = rows.Column(rows.Layout.ColumnOf[tree.Features[node]]);
            node = tables[((long)node * BinLayout.ColumnBins) + bins.First[(long)row * bins.Stride]] == 0 ? tree.Left[node] : tree.Right[node];
        }
        while (node >= 0);
        return ~node;
    }

    private static int WideLeaf(Tree tree, BinnedRows rows, SplitCandidate[] splits, int row)
    {
        var node = 0;
        do
        {
            var layout = rows.Layout;
            var feature = tree.Features[node];
            var mapper = layout.Mappers[feature];
            var bin = rows.Column(layout.ColumnOf[feature])[row] / layout.MultiplierOf[feature] % mapper.Bins;
            node = splits[node].GoesLeft(bin, mapper.MissingBin) ? tree.Left[node] : tree.Right[node];
        }
        while (node >= 0);
        return ~node;
    }

    /// <summary>For each node, where the numbers of its column go: as a table of 256 numbers, or, since tables of many numbers would be large, as its split.</summary>
    private static (byte[] Tables, SplitCandidate[]? Wide) Ways(Tree tree, BinLayout layout)
    {
        var tables = new byte[layout.IsWide ? 0 : tree.Features.Length * BinLayout.ColumnBins];
        var wide = layout.IsWide ? new SplitCandidate[tree.Features.Length] : null;
        for (var node = 0; node < tree.Features.Length; node++)
        {
            var feature = tree.Features[node];
            var column = feature < layout.Features ? layout.ColumnOf[feature] : -1;
            if (column < 0) throw Foreign(feature, "which these rows do not have, or have one value of");
            var split = SplitOf(tree, node, layout.Mappers[feature]);
            if (wide is not null)
            {
                wide[node] = split;
                continue;
            }
            fixed (byte* table = tables) SplitFinder.Table(layout, split, table + (node * BinLayout.ColumnBins));
        }
        return (tables, wide);
    }

    private static SplitCandidate SplitOf(Tree tree, int node, BinMapper mapper)
    {
        var feature = tree.Features[node];
        var decision = tree.Decisions[node];
        if ((decision & Tree.Categorical) != 0)
        {
            if (!mapper.IsCategorical) throw Foreign(feature, "as categories; here it is numeric");
            var set = (int)tree.Thresholds[node];
            var words = tree.CategoryWords.AsSpan(tree.CategoryBounds[set]..tree.CategoryBounds[set + 1]);
            var bins = new uint[(mapper.Bins + 31) / 32];
            for (var bin = 0; bin < mapper.ValueBins; bin++)
            {
                var category = mapper.Categories![bin];
                if ((category >> 5) < words.Length && (words[category >> 5] >> (category & 31) & 1) != 0) bins[bin >> 5] |= 1u << (bin & 31);
            }
            return new() { Feature = feature, LeftBins = bins };
        }
        var threshold = tree.Thresholds[node];
        var bound = double.IsPositiveInfinity(threshold) ? mapper.Bounds.Length : Array.BinarySearch(mapper.Bounds, threshold);
        if (mapper.IsCategorical || bound < 0 || (decision & Tree.MissingMask) != Tree.MissingNaN)
            throw Foreign(feature, string.Create(CultureInfo.InvariantCulture, $"at {threshold}, which is no bound of these bins"));
        return new() { Feature = feature, Bin = bound, MissingLeft = (decision & Tree.DefaultLeft) != 0 };
    }

    private static ArgumentException Foreign(int feature, string how) => new(
        $"A tree asks feature {feature} {how}: it was grown on other bins. Give its predictions on the raw rows as initial scores instead.");
}
