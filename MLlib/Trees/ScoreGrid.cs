using Dataflow.MLlib.TreeObjectives;

namespace Dataflow.MLlib.Trees;

/// <summary>
/// A spacing for leaf values where trees are taken out of scores and put back: multiples of a power of two, so small that it does not matter and so large that
/// sums of them are exact. Then scores depend on which trees are in them, and not on the way there.
/// </summary>
internal static class ScoreGrid
{
    /// <summary>The spacing for an objective's scores.</summary>
    public static double For(TreeObjective objective, TreeShard shard, ITreeGroup group)
    {
        var greatest = new[] { 1.0 };
        if (objective.PredictsLabels)
        {
            foreach (var label in shard.Labels) greatest[0] = Math.Max(greatest[0], Math.Abs(label));
        }
        group.AllReduceMax(greatest);
        return Math.ScaleB(1, Math.ILogB(greatest[0]) - 38);
    }

    /// <summary>The nearest multiple; the value itself where there is no spacing.</summary>
    public static double Round(double value, double spacing) => spacing == 0 ? value : Math.Round(value / spacing) * spacing;
}
