using System.Globalization;
using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.Tests.Trees;

/// <summary>A small data set made of a seed, and ways to train on it.</summary>
internal sealed record TreeData
{
    public required float[] Values { get; init; }

    public required int Features { get; init; }

    public required float[] Labels { get; init; }

    public float[]? Weights { get; init; }

    public bool[]? Categorical { get; init; }

    public int MaxBins { get; init; } = 255;

    public int Rows => Labels.Length;

    /// <summary>Numbers with structure: feature 0 and 1 matter together, 2 alone, 3 has few values, the others are noise.</summary>
    public static TreeData Make(int rows, int features, int seed, Func<float[], Random, float> label, double missing = 0)
    {
        var random = new Random(seed);
        var values = new float[rows * features];
        var labels = new float[rows];
        var row = new float[features];
        for (var i = 0; i < rows; i++)
        {
            for (var f = 0; f < features; f++) row[f] = f == 3 ? random.Next(3) : (float)((random.NextDouble() * 4) - 2);
            labels[i] = label(row, random);
            for (var f = 0; f < features; f++) values[(i * features) + f] = random.NextDouble() < missing ? float.NaN : row[f];
        }
        return new() { Values = values, Features = features, Labels = labels };
    }

    public static float Binary(float[] x, Random random) => random.NextDouble() < 1 / (1 + Math.Exp(-((2 * x[0] * x[1]) + x[2] + (x[3] - 1)))) ? 1 : 0;

    public static float Number(float[] x, Random random) => (float)((x[0] * x[1]) + Math.Sin(x[2]) + (x[3] == 1 ? 1 : 0) + (0.1 * random.NextDouble()));

    /// <summary>Some rows of the set as a shard, in blocks.</summary>
    public TreeShard Shard(ThreadTeam team, ITreeGroup group, int from, int to, int blocks, int[]? queries = null)
    {
        var sources = new List<RowSource>();
        for (var block = 0; block < blocks; block++)
        {
            var first = from + (int)((long)(to - from) * block / blocks);
            var end = from + (int)((long)(to - from) * (block + 1) / blocks);
            sources.Add(new DenseRows(Values.AsMemory(first * Features, (end - first) * Features), Features) { FirstRow = first, Rows = end - first });
        }
        var mappers = BinSample.Find(sources, Categorical ?? new bool[Features], MaxBins, 200_000, team, group);
        return new()
        {
            Rows = BinnedRows.Of(sources, BinLayout.Of(mappers), team, group),
            Labels = Labels[from..to],
            Weights = Weights?[from..to],
            Queries = queries,
        };
    }

    /// <summary>Trains, the rows shared out in a given way.</summary>
    public IReadOnlyList<Tree> Train(TreeTrainingOptions options, int shards = 1, int threads = 1, int blocks = 1, IReadOnlyList<Tree>? before = null)
    {
        if (shards == 1) return In(LoneTreeGroup.Instance);
        return MemoryTreeGroup.Run(shards, In)[shards - 1];

        IReadOnlyList<Tree> In(ITreeGroup group)
        {
            using var team = new ThreadTeam(threads);
            using var shard = Shard(team, group, (int)((long)Rows * group.Index / shards), (int)((long)Rows * (group.Index + 1) / shards), blocks);
            using var training = new TreeTraining(options, shard, team, group, before: before);
            training.Run();
            return training.Trees;
        }
    }

    /// <summary>A tree's prediction for a row of this set, by raw values.</summary>
    public double Predict(Tree tree, int row)
    {
        var node = tree.Features.Length == 0 ? ~0 : 0;
        while (node >= 0)
        {
            double value = Values[(row * Features) + tree.Features[node]];
            node = GoesLeft(tree, node, value) ? tree.Left[node] : tree.Right[node];
        }
        return tree.LeafValues[~node];
    }

    public double Predict(IReadOnlyList<Tree> trees, int row) => trees.Sum(tree => Predict(tree, row));

    /// <summary>Everything that trees are made of, as text: equal if all bits are.</summary>
    public static string Fingerprint(IReadOnlyList<Tree> trees)
    {
        var hash = 14695981039346656037UL;
        foreach (var tree in trees)
        {
            foreach (var value in tree.Features.Concat(tree.Left).Concat(tree.Right)) Mix((ulong)value);
            foreach (var value in tree.Thresholds.Concat(tree.LeafValues).Concat(tree.Gains).Concat(tree.InternalValues).Concat(tree.LeafWeights)) Mix(BitConverter.DoubleToUInt64Bits(value));
            foreach (var value in tree.LeafCounts.Concat(tree.InternalCounts)) Mix((ulong)value);
            foreach (var value in tree.Decisions) Mix(value);
            foreach (var value in tree.CategoryWords) Mix(value);
        }
        return string.Create(CultureInfo.InvariantCulture, $"{trees.Count} trees {trees.Sum(tree => tree.LeafCount)} leaves {hash:x16}");

        void Mix(ulong value) => hash = (hash ^ value) * 1099511628211UL;
    }

    private static bool GoesLeft(Tree tree, int node, double value)
    {
        if ((tree.Decisions[node] & Tree.Categorical) != 0)
        {
            var category = double.IsNaN(value) ? -1 : (int)value;
            var set = (int)tree.Thresholds[node];
            var word = tree.CategoryBounds[set] + (category >> 5);
            return category >= 0 && word < tree.CategoryBounds[set + 1] && (tree.CategoryWords[word] >> (category & 31) & 1) != 0;
        }
        return double.IsNaN(value) ? (tree.Decisions[node] & Tree.DefaultLeft) != 0 : value <= tree.Thresholds[node];
    }
}
