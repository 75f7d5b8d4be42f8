using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.Tests.Trees;

/// <summary>Small trainings of every kind, and what comes out of them as text.</summary>
internal static class TreeChecksFingerprints
{
    public static Dictionary<string, Func<(TreeData Data, TreeTrainingOptions Options)>> Cases { get; } = new(StringComparer.Ordinal)
    {
        ["binary"] = () => (TreeData.Make(3000, 6, 1, TreeData.Binary), new() { Objective = new BinaryObjective(), Iterations = 6, Growth = Growth(63) }),
        ["missing"] = () => (TreeData.Make(2000, 6, 2, TreeData.Binary, missing: 0.3), new() { Objective = new BinaryObjective(), Iterations = 4, Growth = Growth(15) }),
        ["level-wise"] = () => (TreeData.Make(2000, 6, 3, TreeData.Number), new() { Objective = new SquaredObjective(), Iterations = 4, Growth = Growth(16) with { LevelWise = true, MaxDepth = 4 } }),
        ["wide"] = () => (TreeData.Make(700, 80, 4, TreeData.Number), new() { Objective = new SquaredObjective(), Iterations = 3, Growth = Growth(15) }),
        ["bagging"] = () => (TreeData.Make(2000, 6, 5, TreeData.Number), new() { Objective = new SquaredObjective(), Iterations = 6, Growth = Growth(15) with { FeaturesByTree = 0.7, FeaturesByNode = 0.7 }, Sampling = new() { Fraction = 0.6, Frequency = 2 } }),
        ["goss"] = () => (TreeData.Make(3000, 6, 6, TreeData.Binary), new() { Objective = new BinaryObjective(), Iterations = 6, Growth = Growth(15), Sampling = new() { TopShare = 0.2, OtherShare = 0.2, WarmUp = 2 } }),
        ["dart"] = () => (TreeData.Make(2000, 6, 7, TreeData.Number), new() { Objective = new SquaredObjective(), Boosting = Boosting.Dart, Iterations = 8, SkipDrop = 0.2, DropRate = 0.4, Growth = Growth(15) }),
        ["forest"] = () => (TreeData.Make(2000, 6, 8, TreeData.Number), new() { Objective = new SquaredObjective(), Boosting = Boosting.Forest, Iterations = 4, Growth = Growth(31), Sampling = new() { Fraction = 0.63 } }),
        ["absolute"] = () => (TreeData.Make(1500, 6, 9, TreeData.Number), new() { Objective = new QuantileObjective(0.5, isMedian: true), Iterations = 4, Growth = Growth(15) }),
        ["poisson"] = () => (TreeData.Make(1500, 6, 10, (x, r) => (float)Math.Floor(Math.Exp(x[0]) * r.NextDouble() * 2)), new() { Objective = new DevianceObjective(1, 0.7), Iterations = 4, Growth = Growth(15) }),
        ["multiclass"] = () => (TreeData.Make(1500, 6, 11, (x, r) => (x[0] * x[1] > 0.5 ? 2 : x[2] > 0 ? 1 : 0)), new() { Objective = new SoftmaxObjective(3), Iterations = 3, Growth = Growth(15), Sampling = new() { Fraction = 0.8 } }),
        ["weights"] = () => (TreeData.Make(1500, 6, 12, TreeData.Binary) is var data ? data with { Weights = [.. data.Labels.Select((l, i) => 0.5f + (i % 7))] } : data, new() { Objective = new BinaryObjective(), Iterations = 4, Growth = Growth(15) }),
        ["categories"] = () => (Categorical(1500, 13), new() { Objective = new SquaredObjective(), Iterations = 4, Growth = Growth(15) }),
        ["monotone"] = () => (TreeData.Make(1500, 6, 14, TreeData.Number), new() { Objective = new SquaredObjective(), Iterations = 4, Growth = Growth(15) with { Rules = new() { Monotone = [0, 0, 1, 0, 0, 0], L1 = 0.1, L2 = 1 } } }),
        ["two-byte bins"] = () => (TreeData.Make(3000, 6, 15, TreeData.Binary, missing: 0.1) with { MaxBins = 1023 }, new() { Objective = new BinaryObjective(), Iterations = 4, Growth = Growth(31) }),
        ["two-byte panels"] = () => (TreeData.Make(700, 40, 16, TreeData.Number) with { MaxBins = 65_535 }, new() { Objective = new SquaredObjective(), Iterations = 3, Growth = Growth(15), Sampling = new() { Fraction = 0.7 } }),
        ["two-byte dart"] = () => (TreeData.Make(1500, 5, 17, TreeData.Number) with { MaxBins = 400 }, new() { Objective = new SquaredObjective(), Boosting = Boosting.Dart, Iterations = 6, SkipDrop = 0.2, DropRate = 0.4, Growth = Growth(15) }),
        ["many categories"] = () => (Categorical(4000, 18, categories: 900) with { MaxBins = 1000 }, new() { Objective = new SquaredObjective(), Iterations = 4, Growth = Growth(15) }),
        ["bootstrap"] = () => (TreeData.Make(2000, 6, 19, TreeData.Number), new() { Objective = new SquaredObjective(), Boosting = Boosting.Forest, Iterations = 3, Growth = Growth(31), Sampling = new() { WithReplacement = true } }),
        ["entropy"] = () => (TreeData.Make(2000, 6, 20, TreeData.Binary, missing: 0.1), Entropy()),
        ["weighted entropy"] = () => (TreeData.Make(1500, 6, 21, TreeData.Binary) is var data ? data with { Weights = [.. data.Labels.Select((l, i) => 0.3f + (i % 7))] } : data, Entropy()),
    };

    public static string All() => string.Join('\n', Cases.Select(c => $"{c.Key}: {Of(c.Value())}"));

    /// <summary>Feature 0 has many categories that matter, feature 1 has 3; some are missing, negative or rare.</summary>
    public static TreeData Categorical(int rows, int seed, int categories = 40)
    {
        var effects = Enumerable.Range(0, categories).Select(c => (float)((c * 7919 % 13) - 6)).ToArray();
        var data = TreeData.Make(rows, 4, seed, (x, r) => 0);
        var random = new Random(seed);
        for (var i = 0; i < rows; i++)
        {
            var category = random.Next(categories);
            data.Values[i * 4] = i % 31 == 0 ? float.NaN : i % 37 == 0 ? -1 : category;
            data.Values[(i * 4) + 1] = random.Next(3);
            data.Labels[i] = effects[category] + (data.Values[(i * 4) + 1] == 1 ? 3 : 0) + (float)random.NextDouble();
        }
        return data with { Categorical = [true, true, false, false] };
    }

    private static string Of((TreeData Data, TreeTrainingOptions Options) given) => TreeData.Fingerprint(given.Data.Train(given.Options, threads: 2));

    private static TreeTrainingOptions Entropy() => new()
    {
        Objective = new ClassShareObjective(2),
        Boosting = Boosting.Forest,
        BoostFromAverage = false,
        Iterations = 3,
        Growth = Growth(63) with { Rules = new() { IsEntropy = true, MinLeafRows = 3 } },
        Sampling = new() { WithReplacement = true },
    };

    private static GrowthOptions Growth(int leaves) => new() { Leaves = leaves, Rules = new() { MinLeafRows = 5, MinCategoryGroup = 10 } };
}
