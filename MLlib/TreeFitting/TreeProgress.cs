using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>How far training is, on the driver.</summary>
/// <param name="Plan">What is trained.</param>
/// <param name="Trees">The trees so far.</param>
/// <param name="Step">Iterations of the next job.</param>
/// <param name="IsDone">Whether that is all.</param>
/// <param name="Infos">What is remembered of the features.</param>
internal sealed record TreeProgress(TreeFitPlan Plan, Tree[] Trees, int Step, bool IsDone, FeatureInfo[] Infos)
{
    private const int MostSteps = 1024;

    /// <summary>Before the first tree.</summary>
    public static TreeProgress Beginning(TreeFitPlan plan) => new(plan, plan.Begun, 1, plan.Options.Iterations == 0, []);

    /// <summary>What the next job is asked for.</summary>
    public TreeOrder Order => new(Trees, Math.Min(Step, Left));

    private int Left => Plan.Options.Iterations - ((Trees.Length - Plan.Begun.Length) / Plan.Options.Objective.Scores);

    /// <summary>After a job. The next one is made as long as it should take.</summary>
    public TreeProgress With(TrainedTrees trained, TimeSpan took, TimeSpan wanted)
    {
        var step = took < wanted ? Math.Min(MostSteps, Step * 4) : took > wanted * 2 ? Math.Max(1, Step / 2) : Step;
        var next = this with { Trees = [.. Trees, .. trained.Trees], Step = step, Infos = trained.Infos };
        return next with { IsDone = trained.IsDone || next.Left <= 0 };
    }

    /// <summary>The trees as a model.</summary>
    public TreeFitResult Result(TreeShards shards)
    {
        var width = shards.Widths.Sum();
        var ensemble = new TreeEnsemble(Trees, width, Plan.Options.Objective.Scores, Plan.Options.Objective.Text)
        {
            FeatureNames = Plan.Features.FeatureNames(width, shards.Widths),
            FeatureInfos = Infos.Length == width ? Infos : [.. Enumerable.Repeat(FeatureInfo.Unused, width)],
        };
        return new TreeFitResult(ensemble, shards.Rows);
    }
}

/// <summary>What training gave.</summary>
/// <param name="Ensemble">The trees.</param>
/// <param name="Rows">Rows they were trained on.</param>
internal sealed record TreeFitResult(TreeEnsemble Ensemble, long Rows);
