using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeObjectives;

namespace Dataflow.MLlib.Trees;

/// <summary>All that training depends on besides the rows.</summary>
internal sealed record TreeTrainingOptions
{
    public required TreeObjective Objective { get; init; }

    public GrowthOptions Growth { get; init; } = new();

    public int Iterations { get; init; } = 100;

    public double LearningRate { get; init; } = 0.1;

    /// <summary>Whether the first tree begins from the best constant.</summary>
    public bool BoostFromAverage { get; init; } = true;

    public ulong Seed { get; init; }
}
