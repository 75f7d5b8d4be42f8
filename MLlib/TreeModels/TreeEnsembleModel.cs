using Dataflow.MLlib.TreeExchange;
using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib;

/// <summary>A model made of trees: what boosted trees, forests and single trees have in common.</summary>
/// <remarks>Missing values (null, NaN) are allowed. Single rows and batches need no engine and may be predicted from any number of threads at once; a row has the
/// same result, bit for bit, alone, in a batch and in a frame. Saved as LightGBM's text (<c>model.txt</c>) beside the metadata.</remarks>
public abstract record TreeEnsembleModel : FeatureModel
{
    private const string FileName = "model.txt";

    private protected TreeEnsembleModel(TreeEnsemble ensemble) => Predictor = new TreePredictor(ensemble);

    private protected TreeEnsembleModel(ModelFolder folder) : this(Read(folder)) { }

    /// <summary>The trees.</summary>
    public TreeEnsemble Ensemble => Predictor.Ensemble;

    /// <inheritdoc/>
    public override int FeatureCount => Ensemble.FeatureCount;

    /// <summary>How many iterations predictions use; 0 uses the best one, or all if there is none.</summary>
    public int Iterations
    {
        get;
        init
        {
            if (value != field) Predictor = new TreePredictor(Ensemble, value);
            field = value;
        }
    }

    /// <summary>A column with the row's leaf in each tree, as a vector; null adds none.</summary>
    public string? LeafColumn { get; init => field = value is null ? null : Check.Name(value); }

    /// <summary>A column with what each feature adds to the scores (SHAP), score by score the features and last the expected score, as a vector; null adds none.</summary>
    public string? ContributionsColumn { get; init => field = value is null ? null : Check.Name(value); }

    /// <summary>The trees laid out for prediction.</summary>
    internal TreePredictor Predictor { get; private init; }

    /// <summary>How much each feature has to say, in the order of the features; not normalised.</summary>
    /// <param name="kind">What counts.</param>
    public IReadOnlyList<(string Feature, double Importance)> FeatureImportances(ImportanceKind kind = ImportanceKind.Gain) =>
        [.. FeatureImportance.Of(Ensemble, kind, Iterations).Select((value, i) => (Ensemble.FeatureNames[i], value))];

    /// <summary>A column of the scores of a frame's rows, as vectors.</summary>
    internal Column ScoresOf(DataFrame frame) => new TreeScorer("tree_scores", Predictor, TreeOutput.Scores).Of(frame, FeaturesOf(frame));

    /// <summary>The number of the row's leaf in each tree.</summary>
    /// <param name="row">One value a feature; NaN is missing.</param>
    /// <exception cref="ArgumentException">The row is of the wrong length.</exception>
    public int[] Leaves(ReadOnlySpan<double> row)
    {
        var leaves = new int[Predictor.LeafCount];
        Predictor.Leaves(row, leaves);
        return leaves;
    }

    /// <summary>What each feature adds to the row's scores (exact TreeSHAP), score by score the features and last the expected score; together they are the score.</summary>
    /// <remarks>Lundberg, Erion and Lee 2018, algorithm 2. O(trees x leaves x depth^2).</remarks>
    /// <param name="row">One value a feature; NaN is missing.</param>
    /// <exception cref="ArgumentException">The row is of the wrong length.</exception>
    public double[] Contributions(ReadOnlySpan<double> row)
    {
        var contributions = new double[Predictor.ScoreCount * (FeatureCount + 1)];
        Predictor.Contributions(row, contributions);
        return contributions;
    }

    /// <summary>Writes a file that LightGBM loads (<c>lightgbm.Booster(model_file=...)</c>): the iterations that predictions use.</summary>
    /// <param name="path">The file; one that is there is replaced.</param>
    /// <exception cref="InvalidOperationException">It is a forest of classes: LightGBM knows no such objective.</exception>
    public void ToLightGbm(string path)
    {
        if (Ensemble.Objective.Split(' ')[0] == "class_shares")
        {
            throw new InvalidOperationException(
                $"LightGBM knows no objective '{Ensemble.Objective}', so it would refuse the file or give other predictions. Save the model with Save, and load it with Load.");
        }
        LightGbmText.Write(Ensemble.First(Predictor.Iterations), path);
    }

    /// <summary>The trees as text for people, one condition a line.</summary>
    public string ToDebugText() => TreeText.Format(Ensemble);

    /// <summary>Adds columns of leaves and contributions if they were asked for.</summary>
    private protected DataFrame AddExplanations(DataFrame frame)
    {
        if (LeafColumn is { } leaves) frame = AddColumn(frame, leaves, TreeOutput.Leaves);
        return ContributionsColumn is { } contributions ? AddColumn(frame, contributions, TreeOutput.Contributions) : frame;
    }

    /// <summary>Adds a column that is computed of the features.</summary>
    private protected DataFrame AddColumn(DataFrame frame, string name, TreeOutput output)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return Add(frame, name, new TreeScorer($"trees_{output.ToString().ToLowerInvariant()}", Predictor, output).Of(frame, FeaturesOf(frame)));
    }

    /// <summary>How many rows there are, if there is room for their results.</summary>
    private protected int CheckBatch(ReadOnlySpan<double> rows, Span<double> into, int width)
    {
        if (rows.Length % FeatureCount != 0)
            throw new ArgumentException($"{rows.Length} values are no whole number of rows of {FeatureCount} features.", nameof(rows));
        var count = rows.Length / FeatureCount;
        return into.Length == (long)count * width ? count : throw new ArgumentException($"{count} rows have {(long)count * width} results, but there is room for {into.Length}.", nameof(into));
    }

    /// <inheritdoc/>
    protected internal override void Write(ModelFolder folder)
    {
        folder.WriteText(FileName, LightGbmText.Format(Ensemble));

        // LightGBM's names have no spaces, and it knows no best iteration.
        folder.Set("featureNames", Ensemble.FeatureNames.ToArray());
        folder.Set("bestIteration", Ensemble.BestIteration);
    }

    private static TreeEnsemble Read(ModelFolder folder) =>
        LightGbmText.Parse(folder.ReadText(FileName), Path.Combine(folder.Path, FileName)).Named(folder.Get<string[]>("featureNames"), folder.Get<int>("bestIteration"));
}
