using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeObjectives;

/// <summary>What trees minimise: gives gradient and hessian of each row's loss by its scores. Safe to share between threads while rows are computed.</summary>
internal abstract unsafe class TreeObjective
{
    /// <summary>Rows that are computed at a time, at most.</summary>
    public const int StepRows = 512;

    /// <summary>The objective in LightGBM's words, with the parameters that turn scores into predictions.</summary>
    public abstract string Text { get; }

    /// <summary>Scores of a row, and so trees of an iteration.</summary>
    public virtual int Scores => 1;

    /// <summary>Whether every hessian is the row's weight.</summary>
    public virtual bool HasConstantHessian => false;

    /// <summary>The greatest magnitude of gradients and the greatest hessian of a row of weight 1, where they are known beforehand.</summary>
    public virtual (double Gradient, double Hessian)? Bounds => null;

    /// <summary>If leaves take a quantile of their rows' residuals (label less score, by weight) for a value: which. Null if they take a Newton step.</summary>
    public virtual double? RenewalQuantile => null;

    /// <summary>Says what is wrong with a label, or null.</summary>
    public abstract string? Fault(float label);

    /// <summary>The best constant scores, from exact sums over all shards.</summary>
    public virtual double[] Averages(TreeShard shard, ITreeGroup group) => new double[Scores];

    /// <summary>Called before rows are computed in an iteration, with the scores of all rows.</summary>
    public virtual void Begin(double* scores, TreeShard shard, ThreadTeam team) { }

    /// <summary>What is measured if nothing else is asked for.</summary>
    public abstract string Metric { get; }

    /// <summary>Whether scores are on the scale of the labels.</summary>
    public virtual bool PredictsLabels => false;

    /// <summary>Whether the shard's rows come as queries.</summary>
    public virtual bool NeedsQueries => false;

    /// <summary>Gradients and hessians of some rows.</summary>
    public abstract void Compute(in ObjectiveRows rows);

}

/// <summary>Some rows whose gradients are asked for. Scores, gradients and hessians of further classes lie a stride behind.</summary>
internal readonly unsafe struct ObjectiveRows
{
    /// <summary>The first row in the shard.</summary>
    public required int First { get; init; }

    public required int Count { get; init; }

    public required double* Scores { get; init; }

    /// <summary>From one score of a row to its next.</summary>
    public required long ScoreStride { get; init; }

    public required float* Labels { get; init; }

    /// <summary>Null if all are 1.</summary>
    public required float* Weights { get; init; }

    public required double* Gradients { get; init; }

    public required double* Hessians { get; init; }

    /// <summary>Multiplies what was computed for weight 1.</summary>
    public void Weigh()
    {
        if (Weights is null) return;
        for (var i = 0; i < Count; i++)
        {
            Gradients[i] *= Weights[i];
            Hessians[i] *= Weights[i];
        }
    }
}
