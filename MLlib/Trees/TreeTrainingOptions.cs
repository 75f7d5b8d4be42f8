using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.Trees;

/// <summary>How trees of different iterations belong together.</summary>
internal enum Boosting
{
    /// <summary>Each tree mends what those before it left (Friedman 2001).</summary>
    Gradient,

    /// <summary>Some of the earlier trees are left out when a tree is grown, and share their weight with it (Rashmi and Gilad-Bachrach 2015).</summary>
    Dart,

    /// <summary>Trees do not know of each other; the score is their mean.</summary>
    Forest,
}

/// <summary>All that training depends on besides the rows.</summary>
internal sealed record TreeTrainingOptions
{
    public TreeObjective Objective { get; init; } = new SquaredObjective();

    public Boosting Boosting { get; init; }

    public GrowthOptions Growth { get; init; } = new();

    public SamplingOptions Sampling { get; init; } = new();

    public int Iterations { get; init; } = 100;

    public double LearningRate { get; init; } = 0.1;

    /// <summary>Whether the first tree begins from the best constant.</summary>
    public bool BoostFromAverage { get; init; } = true;

    /// <summary>DART: the probability that an earlier tree is left out.</summary>
    public double DropRate { get; init; } = 0.1;

    /// <summary>DART: at most so many trees are left out.</summary>
    public int MaxDrop { get; init; } = 50;

    /// <summary>DART: the probability that none is left out.</summary>
    public double SkipDrop { get; init; } = 0.5;

    /// <summary>What is measured after each iteration; empty for the objective's own metric.</summary>
    public IReadOnlyList<string> Metrics { get; init; } = [];

    /// <summary>Iterations without a better value of the first metric on the validation rows after which training ends; 0 never ends early.</summary>
    public int EarlyStopping { get; init; }

    public ulong Seed { get; init; }
}
