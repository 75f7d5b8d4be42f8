using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;

namespace Dataflow.MLlib;

/// <summary>Boosted trees that put the rows of a query in order (LambdaMART; Burges 2010). Labels are grades of relevance, 0 to 30.</summary>
/// <remarks>Rows are sorted by query first; all rows of a query are trained on by one executor. See <see cref="GradientBoostedTrees{TModel}"/> for the rest.</remarks>
public sealed record GradientBoostedTreesRanker : GradientBoostedTrees<GradientBoostedTreesRankerModel>
{
    /// <summary>The column that says which query a row belongs to: anything that can be compared.</summary>
    public string QueryColumn { get; init => field = Check.Name(value); } = "qid";

    /// <summary>How many of the first rows of a query count.</summary>
    public int Truncation { get; init => field = Check.AtLeast(value, 1); } = 30;

    internal override string? Together => QueryColumn;

    internal override TreeObjective ObjectiveFor(double greatestLabel) => CustomLoss is { } own ? new CustomObjective(own) : new LambdaRankObjective(Truncation);

    internal override GradientBoostedTreesRankerModel ModelOf(TreeEnsemble ensemble) => new(ensemble);
}
