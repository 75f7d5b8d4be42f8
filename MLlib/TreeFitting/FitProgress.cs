using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>How far training is, on the driver.</summary>
/// <param name="Plan">What is trained.</param>
internal sealed record FitProgress(TreeFitPlan Plan)
{
    private const int MostSteps = 1024;

    private Tree[] Trees { get; init; } = [];

    private FeatureInfo[] Infos { get; init; } = [];

    private int BestIteration { get; init; }

    private int Step { get; init; } = 1;

    /// <summary>Whether that is all.</summary>
    public bool IsDone { get; private init; } = Plan.Options.Iterations == 0;

    /// <summary>What the next job is asked for.</summary>
    public TreeOrder Order => new(Trees, Math.Min(Step, Left));

    private int Left => Plan.Options.Iterations - (Trees.Length / Plan.Options.Objective.Scores);

    /// <summary>After a job. The next one is made as long as it should take.</summary>
    public FitProgress With(TrainedTrees trained, TimeSpan took, TimeSpan wanted)
    {
        var step = took < wanted ? Math.Min(MostSteps, Step * 4) : took > wanted * 2 ? Math.Max(1, Step / 2) : Step;
        var next = this with { Trees = trained.Trees, Step = step, Infos = trained.Infos, BestIteration = trained.BestIteration };
        return next with { IsDone = trained.IsDone || next.Left <= 0 };
    }

    /// <summary>The trees as a model.</summary>
    public TreeFitResult Result(TreeShards shards)
    {
        var width = shards.Widths.Sum();
        var options = Plan.Options;
        var ensemble = new TreeEnsemble(Trees, width, options.Objective.Scores, options.Objective.Text)
        {
            ClassCount = options.Objective.Scores,
            AverageOutput = options.Boosting == Boosting.Forest,
            BestIteration = options.EarlyStopping > 0 ? BestIteration : 0,
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
