using Dataflow.MLlib.Data;
using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.TreeFitting;
using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib;

/// <summary>
/// What gradient boosted trees have in common: trees are added one after the other, each to the negative gradient of the loss so far (Friedman 2001), by histograms of
/// binned features with second-order gains (Chen and Guestrin 2016, Ke et al. 2017).
/// </summary>
/// <remarks>
/// <para>Fit is an action. It reads the frame once, keeps its rows as bins in the executors, about 2 bytes a value and 40 bytes a row, and trains with all their slots. Missing
/// values (null, NaN) are allowed: each split learns which way they go.</para>
/// <para>The model is the same, bit for bit, for any number of partitions, threads and executors, on any processor, and if executors are lost meanwhile (all but
/// <see cref="TreeParallelism.Voting"/>).</para>
/// </remarks>
/// <typeparam name="TModel">What is learned.</typeparam>
public abstract record GradientBoostedTrees<TModel> : Predictor<TModel> where TModel : TreeEnsembleModel
{
    /// <summary>How many iterations: a tree each, of several classes one a class.</summary>
    public int Trees { get; init => field = Check.AtLeast(value, 0); } = 100;

    /// <summary>The part of each tree that counts; less needs more trees and generalises better.</summary>
    public double LearningRate { get; init => field = Check.MoreThan(value, 0); } = 0.1;

    /// <summary>Most leaves of a tree.</summary>
    public int Leaves { get; init => field = Check.Between(value, 2, 131_072); } = 31;

    /// <summary>Most splits from the root to a leaf; 0 is no limit.</summary>
    public int MaxDepth { get; init => field = Check.AtLeast(value, 0); }

    /// <summary>Which leaf is split next.</summary>
    public TreeGrowthOrder Growth { get; init => field = Check.Defined(value); } = TreeGrowthOrder.LeafWise;

    /// <summary>Most bins of a feature, missing values not counted, up to 65,535. Fewer are faster and coarser.</summary>
    /// <remarks>With more than 255, and if a feature has so many different values, rows take two bytes a value instead of one, and histograms 8 bytes a bin: worth it where a
    /// feature must be cut finely, or has many categories that matter. Bins are found from about 200,000 rows, or 16 rows a bin if that is more.</remarks>
    public int MaxBins { get; init => field = Check.Between(value, 2, BinLayout.WideBins - 1); } = 255;

    /// <summary>Fewest rows of a leaf.</summary>
    public int MinLeafRows { get; init => field = Check.AtLeast(value, 0); } = 20;

    /// <summary>Least sum of hessians of a leaf.</summary>
    public double MinLeafWeight { get; init => field = Check.AtLeast(value, 0.0); } = 1e-3;

    /// <summary>A split must lower the loss by more than this.</summary>
    public double MinGain { get; init => field = Check.AtLeast(value, 0.0); }

    /// <summary>L1 regularisation of leaf values.</summary>
    public double L1 { get; init => field = Check.AtLeast(value, 0.0); }

    /// <summary>L2 regularisation of leaf values.</summary>
    public double L2 { get; init => field = Check.AtLeast(value, 0.0); }

    /// <summary>Largest value of a leaf before the learning rate; 0 is no limit.</summary>
    public double MaxDeltaStep { get; init => field = Check.AtLeast(value, 0.0); }

    /// <summary>Feature columns that hold categories: whole numbers of 0 or more, as <see cref="StringIndexer"/> makes them. Splits part sets of them. The most frequent
    /// <see cref="MaxBins"/> have a bin each; the rarer ones share one with those that are negative, missing or unknown, which go right.</summary>
    public ValueList<string> CategoricalColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>With at most so many categories, splits part one from the rest instead of sets.</summary>
    public int MaxOneVersusRest { get; init => field = Check.AtLeast(value, 1); } = 4;

    /// <summary>Most categories on one side of a split.</summary>
    public int MaxCategories { get; init => field = Check.AtLeast(value, 1); } = 32;

    /// <summary>Added to the hessians of each category when they are put in order of their gradients: rare ones count less.</summary>
    public double CategorySmoothing { get; init => field = Check.AtLeast(value, 0.0); } = 10;

    /// <summary>Further L2 regularisation where sets of categories are parted.</summary>
    public double CategoryL2 { get; init => field = Check.AtLeast(value, 0.0); } = 10;

    /// <summary>Feature columns with which predictions must not fall.</summary>
    public ValueList<string> IncreasingColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>Feature columns with which predictions must not rise.</summary>
    public ValueList<string> DecreasingColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>Sets of feature columns: those that meet on one path of a tree must lie in one set. Empty lets all meet.</summary>
    public ValueList<ValueList<string>> InteractionColumns { get; init => field = [.. value.Select(set => Check.Names(set, nameof(InteractionColumns)))]; } = [];

    /// <summary>The part of the rows that each tree is grown on, drawn without replacement (bagging).</summary>
    public double BaggingFraction { get; init => field = Share(value); } = 1;

    /// <summary>How many iterations keep the same rows.</summary>
    public int BaggingFrequency { get; init => field = Check.AtLeast(value, 1); } = 1;

    /// <summary>GOSS (Ke et al. 2017): the part of the rows with the greatest gradients, which all take part; 0 is off.</summary>
    public double GossTopShare { get; init => field = Check.Between(value, 0.0, 1); }

    /// <summary>GOSS: the part of all rows that is drawn from the others, and stands for them.</summary>
    public double GossOtherShare { get; init => field = Share(value); } = 0.1;

    /// <summary>The part of the features that each tree may look at.</summary>
    public double FeatureFraction { get; init => field = Share(value); } = 1;

    /// <summary>The part of a tree's features that each node may look at.</summary>
    public double FeatureFractionByNode { get; init => field = Share(value); } = 1;

    /// <summary>How trees of different iterations belong together.</summary>
    public BoostingKind Boosting { get; init => field = Check.Defined(value); } = BoostingKind.Gradient;

    /// <summary>DART: the probability that an earlier tree is left out while the next one is grown.</summary>
    public double DropRate { get; init => field = Check.Between(value, 0.0, 1); } = 0.1;

    /// <summary>DART: the probability that none is left out.</summary>
    public double SkipDrop { get; init => field = Check.Between(value, 0.0, 1); } = 0.5;

    /// <summary>DART: most trees that are left out at once.</summary>
    public int MaxDrop { get; init => field = Check.AtLeast(value, 1); } = 50;

    /// <summary>A column that marks rows which are only watched (not 0, not null): metrics are measured on them. Null for none.</summary>
    public string? ValidationColumn { get; init => field = value is null ? null : Check.Name(value); }

    /// <summary>Training ends when the first metric has not become better on validation rows for so many iterations, and the model predicts with the best one; 0 never ends early.</summary>
    public int EarlyStoppingRounds { get; init => field = Check.AtLeast(value, 0); }

    /// <summary>What is measured after each iteration, in LightGBM's names (<c>rmse</c>, <c>l1</c>, <c>binary_logloss</c>, <c>auc</c>, <c>multi_logloss</c>, <c>ndcg@5</c> ...), on validation rows and
    /// those that are learned from. Empty measures the loss, on validation rows only.</summary>
    public ValueList<string> Metrics { get; init => field = Check.Names(value); } = [];

    /// <summary>Told of each round, in order, soon after it. Not saved.</summary>
    public Action<TreeRound>? Progress { get; init; }

    /// <summary>A column of scores that training begins from instead of the average; null for none. The model does not contain them: add them to its scores.</summary>
    public string? InitialScoreColumn { get; init => field = value is null ? null : Check.Name(value); }

    /// <summary>A model of the same features that training goes on from, on other rows if need be; the new one contains its trees. Not saved.</summary>
    public TModel? ContinueFrom { get; init; }

    /// <summary>How executors work together.</summary>
    public TreeParallelism Parallelism { get; init => field = Check.Defined(value); } = TreeParallelism.Data;

    /// <summary><see cref="TreeParallelism.Voting"/>: how many columns each executor names for a split; twice as many are looked at.</summary>
    public int VotingColumns { get; init => field = Check.AtLeast(value, 1); } = 20;

    /// <summary>What random choices are made from.</summary>
    public int Seed { get; init; }

    /// <summary>A loss of the program's own instead of the built-in ones; predictions are then plain scores, so the classifier takes none. Not saved.</summary>
    public TreeLoss? CustomLoss { get; init; }

    /// <summary>Makes the loss, once the labels are known.</summary>
    internal abstract TreeObjective ObjectiveFor(double greatestLabel);

    /// <summary>Makes the model.</summary>
    internal abstract TModel ModelOf(TreeEnsemble ensemble);

    /// <summary>The column that says which rows belong together; null if nothing does.</summary>
    internal virtual string? Together => null;

    /// <inheritdoc/>
    protected override async Task<TModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var user = GetType().Name;
        var features = FeaturesOf(frame);
        if (EarlyStoppingRounds > 0 && ValidationColumn is null) throw new ArgumentException($"{user} has {nameof(EarlyStoppingRounds)} and no {nameof(ValidationColumn)}: name the column that marks the rows to watch.");
        foreach (var metric in Metrics) TreeMetrics.CheckName(metric);
        if (Metrics.GroupBy(metric => metric, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice) throw new ArgumentException($"{nameof(Metrics)} has '{twice.Key}' twice. Name each once.");
        if (GossTopShare > 0 && GossTopShare + GossOtherShare > 1)
            throw new ArgumentException($"{nameof(GossTopShare)} {GossTopShare} and {nameof(GossOtherShare)} {GossOtherShare} are parts of the same rows, and make more than 1 together.");
        if (IncreasingColumns.FirstOrDefault(name => DecreasingColumns.Contains(name, StringComparer.OrdinalIgnoreCase)) is { } both) throw new ArgumentException($"'{both}' is in {nameof(IncreasingColumns)} and in {nameof(DecreasingColumns)}. Name it in one of them.");
        if (IncreasingColumns.Concat(DecreasingColumns).FirstOrDefault(name => CategoricalColumns.Contains(name, StringComparer.OrdinalIgnoreCase)) is { } ordered)
            throw new ArgumentException($"'{ordered}' is in {nameof(CategoricalColumns)}: predictions can't rise or fall with categories, which have no order.");
        var (high, low) = (Together is null ? null : "query, high half", Together is null ? null : "query, low half");
        if (Together is { } group)
        {
            // Any value says which rows belong together; two halves of its hash are exact as numbers.
            var hash = Functions.Call("xxhash64", frame[group]);
            frame = frame.OrderBy(frame[group])
                .WithColumn(high!, Functions.When(frame[group].IsNotNull(), Functions.Call("shiftright", hash, Functions.Lit(32))))
                .WithColumn(low!, Functions.When(frame[group].IsNotNull(), Functions.Call("shiftright", Functions.Call("shiftleft", hash, Functions.Lit(32)), Functions.Lit(32))));
        }
        List<string?> others = [LabelColumn];
        var plan = new TreeFitPlan(user, features, Options())
        {
            MaxBins = MaxBins,
            IsCategorical = NamedFeatures.Categorical(features, CategoricalColumns),
            WeightAt = Place(WeightColumn),
            ValidationAt = Place(ValidationColumn),
            QueryAt = Place(high),
        };
        NamedFeatures.MustBeFeatures(features, CategoricalColumns.Concat(IncreasingColumns).Concat(DecreasingColumns).Concat(InteractionColumns.SelectMany(set => set)), user);
        if (IncreasingColumns.Count + DecreasingColumns.Count + InteractionColumns.Count > 0 && Array.IndexOf(features.IsVector, true) is >= 0 and var vector)
            NamedFeatures.MustBeNumber(features, vector, $"{user} has constraints of columns, and {nameof(FeatureColumns)}");

        if (low is not null) others.Add(low);

        // Scores of a model that training goes on from stand beside the rows, one a class.
        var start = others.Count;
        if (ContinueFrom is { } begun) frame = WithScores(frame, begun, others);
        else if (InitialScoreColumn is not null) others.Add(InitialScoreColumn);
        plan = plan with { OtherCount = others.Count, InitialScoreAt = others.Count > start ? start : -1 };
        var result = await TreeFit.RunAsync(
            frame.Session.Context, plan, (label, given) => Complete(given, label, others.Count - start), features.Select(frame, user, [.. others]), Report, cancellationToken).ConfigureAwait(false);
        var ensemble = ContinueFrom is { } first ? first.Ensemble.Then(result.Ensemble, first.Iterations) : result.Ensemble;
        return ModelOf(ensemble) with { FeatureColumns = Features, PredictionColumn = PredictionColumn };

        int Place(string? column)
        {
            if (column is null) return -1;
            others.Add(column);
            return others.Count - 1;
        }
    }

    private static double Share(double value, [System.Runtime.CompilerServices.CallerMemberName] string parameter = "") => Check.Between(Check.MoreThan(value, 0, parameter), 0, 1, parameter);

    private DataFrame WithScores(DataFrame frame, TModel begun, List<string?> others)
    {
        if (InitialScoreColumn is not null) throw new ArgumentException($"{nameof(ContinueFrom)} and {nameof(InitialScoreColumn)} both say where training begins. Give one of them.");
        var scores = begun.Predictor.ScoreCount;
        if (!begun.FeatureColumns.SequenceEqual(Features, StringComparer.OrdinalIgnoreCase))
        {
            throw new ArgumentException(
                $"The model of {nameof(ContinueFrom)} has the feature columns {begun.FeatureColumns}, and training would go on with {Features}. Name the same columns in the same order.");
        }
        var raw = begun.ScoresOf(frame);
        for (var i = 0; i < scores; i++)
        {
            var name = $"initial score {i}";
            frame = frame.WithColumn(name, Functions.Call("vector_get", raw, Functions.Lit(i)));
            others.Add(name);
        }
        return frame;
    }

    // What depends on labels and on how wide vectors are.
    private TreeFitPlan Complete(TreeFitPlan plan, double greatestLabel, int scores)
    {
        var objective = ObjectiveFor(greatestLabel);
        if (plan.InitialScoreAt >= 0 && scores != objective.Scores)
            throw new ArgumentException($"{plan.User} learns {objective.Scores} scores a row, and {(ContinueFrom is null ? $"{nameof(InitialScoreColumn)} is" : $"the model of {nameof(ContinueFrom)} has")} {scores}.");
        return plan with { Options = plan.Options with { Objective = objective } };
    }

    private void Report(IReadOnlyList<TreeMeasurement> measured)
    {
        if (Progress is null) return;
        foreach (var round in measured.GroupBy(each => each.Iteration))
        {
            foreach (var metric in round.GroupBy(each => each.Metric))
            {
                var values = metric.ToDictionary(each => each.IsValidation, each => each.Value);
                Progress(new TreeRound(round.Key, metric.Key, values.TryGetValue(false, out var training) ? training : null, values.TryGetValue(true, out var validation) ? validation : null));
            }
        }
    }

    private TreeTrainingOptions Options()
    {
        var names = Features.ToList();
        return new TreeTrainingOptions
        {
            Iterations = Trees,
            LearningRate = LearningRate,
            Seed = (ulong)Seed,
            BoostFromAverage = InitialScoreColumn is null && ContinueFrom is null,
            Boosting = Boosting == BoostingKind.Dart ? MLlib.Trees.Boosting.Dart : MLlib.Trees.Boosting.Gradient,
            DropRate = DropRate,
            SkipDrop = SkipDrop,
            MaxDrop = MaxDrop,
            Metrics = Metrics,
            EarlyStopping = EarlyStoppingRounds,
            Sampling = new SamplingOptions { Fraction = BaggingFraction, Frequency = BaggingFrequency, TopShare = GossTopShare, OtherShare = GossOtherShare, Seed = (ulong)Seed },
            Growth = new GrowthOptions
            {
                Leaves = Leaves,
                MaxDepth = MaxDepth,
                LevelWise = Growth == TreeGrowthOrder.LevelWise,
                FeaturesByTree = FeatureFraction,
                FeaturesByNode = FeatureFractionByNode,
                Seed = (ulong)Seed,
                VotingColumns = Parallelism == TreeParallelism.Voting ? VotingColumns : 0,
                Rules = new SplitRules
                {
                    L1 = L1,
                    L2 = L2,
                    MinGain = MinGain,
                    MinLeafRows = MinLeafRows,
                    MinLeafWeight = MinLeafWeight,
                    MaxDeltaStep = MaxDeltaStep,
                    CategorySmoothing = CategorySmoothing,
                    CategoryL2 = CategoryL2,
                    MaxCategories = MaxCategories,
                    MaxOneVersusRest = MaxOneVersusRest,
                    Monotone = IncreasingColumns.Count + DecreasingColumns.Count == 0 ? null
                        : [.. names.Select(name => (sbyte)((NamedFeatures.Has(IncreasingColumns, name) ? 1 : 0) - (NamedFeatures.Has(DecreasingColumns, name) ? 1 : 0)))],
                    Interactions = InteractionColumns.Count == 0 ? null : [.. InteractionColumns.Select(set => set.Select(name => IndexOf(names, name)).ToArray())],
                },
            },
        };
    }

    private static int IndexOf(List<string> names, string name) => names.FindIndex(each => string.Equals(each, name, StringComparison.OrdinalIgnoreCase));
}

/// <summary>A metric after a round of training.</summary>
/// <param name="Iteration">From 1.</param>
/// <param name="Metric">Its name.</param>
/// <param name="TrainingMetric">On the rows that are learned from; null if it was not measured there.</param>
/// <param name="ValidationMetric">On validation rows; null if there are none.</param>
public sealed record TreeRound(int Iteration, string Metric, double? TrainingMetric, double? ValidationMetric)
{
    /// <summary>As <c>[12] auc: 0.913 (learned from), 0.902 (validation)</c>.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"[{Iteration}] {Metric}: {string.Join(", ", new[] { (TrainingMetric, "learned from"), (ValidationMetric, "validation") }.Where(each => each.Item1 is not null).Select(each => FormattableString.Invariant($"{each.Item1:G6} ({each.Item2})")))}");
}

/// <summary>How trees of different iterations belong together.</summary>
public enum BoostingKind
{
    /// <summary>Each tree mends what those before it left (Friedman 2001).</summary>
    Gradient,

    /// <summary>Some of the earlier trees are left out when a tree is grown, and share their weight with it (Rashmi and Gilad-Bachrach 2015).</summary>
    Dart,
}

/// <summary>How executors that each hold some of the rows grow one tree.</summary>
public enum TreeParallelism
{
    /// <summary>The histograms of all columns are added up, each column by one executor (of two, by both). The model is the same as on one executor, bit for bit.</summary>
    Data,

    /// <summary>Each executor names the columns that split its own rows best, and only those that most of them name are added up (Meng et al. 2016, PV-Tree). For
    /// hundreds of columns or more, where the histograms would be most of the work: what travels does not grow with the columns. Other executors, or rows shared out
    /// in another way, may give another model, about as good. Where all columns would be named, and on one executor, it is as <see cref="Data"/>.</summary>
    Voting,
}

/// <summary>Which leaf of a tree is split next.</summary>
public enum TreeGrowthOrder
{
    /// <summary>The one whose split lowers the loss most: deep where it pays (Shi 2007).</summary>
    LeafWise,

    /// <summary>All leaves of a level before any of the next.</summary>
    LevelWise,
}
