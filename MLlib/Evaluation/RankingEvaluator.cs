using Dataflow.MLlib.Evaluation;
using Dataflow.MLlib.Numerics;
using Dataflow.Sql.Columns;

namespace Dataflow.MLlib;

/// <summary>How well scores order the rows of each group: the documents of a query, the items of a user.</summary>
/// <remarks>
/// One shuffle that brings the rows of a group together. Rows of one score are taken as in any order: the metric is its mean over all of them (McSherry and Najork 2008), as
/// scikit-learn does for ndcg. Groups without any relevant row say nothing and are left out. The same bits for any partitions.
/// </remarks>
public sealed record RankingEvaluator : ModelEvaluator
{
    /// <summary>The column of relevances: 0 for none, larger for more. Precision, recall and MAP take what is above 0 as relevant.</summary>
    public string LabelColumn { get; init => field = Check.Name(value); } = "label";

    /// <summary>The column of scores, larger for what should come first.</summary>
    public string PredictionColumn { get; init => field = Check.Name(value); } = "prediction";

    /// <summary>The column that says to which group a row belongs: the query of a ranker, and <c>qid</c> of files of LIBSVM.</summary>
    public string QueryColumn { get; init => field = Check.Name(value); } = "qid";

    /// <summary>What <see cref="ModelEvaluator.Evaluate"/> gives.</summary>
    public RankingMetric Metric { get; init => field = Check.Defined(value); } = RankingMetric.Ndcg;

    /// <summary>How many rows of each group count, from the first.</summary>
    public int K { get; init => field = Check.AtLeast(value, 1); } = 10;

    /// <inheritdoc/>
    public override bool IsLargerBetter => true;

    /// <inheritdoc/>
    protected override async Task<double> ScoreAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        const string User = nameof(RankingEvaluator);
        var read = frame.Select(
            EvaluatedColumns.Number(frame, LabelColumn, User).As("label"),
            EvaluatedColumns.Number(frame, PredictionColumn, User).As("score"),
            frame[QueryColumn].Cast(DataType.String).As("group"));
        var (metric, k, label, group) = (Metric, K, LabelColumn, QueryColumn);
        var groups = read.MapBatches(batches => Rows(batches, label, group)).GroupByKey();
        var parts = await groups.MapPartitions(each => Sum(each, metric, k)).CollectAsync(cancellationToken).ConfigureAwait(false);
        var sums = ExactSums.Merge(2, parts);
        if (sums[1].Value == 0)
            throw new QueryException("EMPTY_INPUT", $"No group of column '{QueryColumn}' has a row with a label above 0, so {User} can say nothing of the order.");
        return sums[0].Value / sums[1].Value;
    }

    private static IEnumerable<(string Key, (double Label, double Score) Value)> Rows(IEnumerable<ColumnBatch> batches, string label, string group)
    {
        double[] labels = [], scores = [];
        foreach (var batch in batches)
        {
            EvaluatedColumns.Read(batch, 0, ref labels);
            EvaluatedColumns.Read(batch, 1, ref scores);
            var texts = Texts(batch, group);
            for (var i = 0; i < texts.Length; i++)
            {
                if (labels[i] < 0)
                    throw new QueryException("INVALID_VALUE", $"Column '{label}' holds {labels[i]}, and {nameof(RankingEvaluator)} needs relevances of 0 or more.");
                yield return (texts[i], (labels[i], scores[i] + 0.0));
            }
        }
    }

    private static unsafe string[] Texts(ColumnBatch batch, string group)
    {
        var column = batch.Columns[2];
        var selection = batch.Selection;
        var texts = new string[selection.Length];
        for (var i = 0; i < texts.Length; i++)
        {
            if (column.IsNull(selection[i]))
                throw new QueryException("INVALID_VALUE", $"Column '{group}' holds null, and every row must belong to a group. Filter such rows first.");
            texts[i] = StringView.TextOf((StringView*)column.ValueAt(selection[i]));
        }
        return texts;
    }

    private static IEnumerable<long[]> Sum(IEnumerable<(string Key, IReadOnlyList<(double Label, double Score)> Value)> groups, RankingMetric metric, int k)
    {
        var sums = ExactSums.New(2);
        foreach (var (_, rows) in groups)
        {
            if (!rows.Any(row => row.Label > 0)) continue;
            sums[0].Add(RankedGroup.Measure(rows, metric, k));
            sums[1].Add(1);
        }
        yield return ExactSums.StatesOf(sums);
    }
}

/// <summary>Metrics of orders, each the mean over all groups.</summary>
public enum RankingMetric
{
    /// <summary>Discounted gain of the first k rows, relative to the best order: gain 2^relevance - 1, discount 1 / log2(place + 1) (Burges et al. 2005).</summary>
    Ndcg,

    /// <summary>The mean of the precisions at the places of relevant rows within the first k; divided by k, or by the number of relevant rows if that is less.</summary>
    MeanAveragePrecision,

    /// <summary>Which part of the first k rows is relevant.</summary>
    Precision,

    /// <summary>Which part of the relevant rows is among the first k.</summary>
    Recall,
}
