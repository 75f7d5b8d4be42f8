using Dataflow.MLlib.Data;

namespace Dataflow.MLlib;

/// <summary>An estimator that learns from features: what all learners have in common.</summary>
/// <typeparam name="TModel">What it learns.</typeparam>
public abstract record FeatureLearner<TModel> : Estimator<TModel> where TModel : Transformer
{
    /// <summary>The column of feature vectors, used if <see cref="FeatureColumns"/> names none.</summary>
    public string FeaturesColumn { get; init => field = Check.Name(value); } = "features";

    /// <summary>Columns that are features by themselves, numbers or vectors, in order; empty takes <see cref="FeaturesColumn"/>.</summary>
    public ValueList<string> FeatureColumns { get; init => field = Check.Names(value); } = [];

    /// <summary>The column of predictions that the model adds.</summary>
    public string PredictionColumn { get; init => field = Check.Name(value); } = "prediction";

    /// <summary>Names of the feature columns.</summary>
    internal ValueList<string> Features => FeatureColumns.Count > 0 ? FeatureColumns : [FeaturesColumn];

    /// <summary>The feature columns in a frame, checked.</summary>
    internal FeatureColumns FeaturesOf(DataFrame frame) => Data.FeatureColumns.Of(frame, Features, GetType().Name);
}

/// <summary>A learner that is given labels: classifiers and regressions.</summary>
/// <typeparam name="TModel">What it learns.</typeparam>
public abstract record Predictor<TModel> : FeatureLearner<TModel> where TModel : Transformer
{
    /// <summary>The column of labels: numbers; classes are 0, 1, 2 ...</summary>
    public string LabelColumn { get; init => field = Check.Name(value); } = "label";

    /// <summary>The column of weights of rows, 0 or more; null weighs all rows alike.</summary>
    public string? WeightColumn { get; init => field = value is null ? null : Check.Name(value); }
}

/// <summary>A model that reads features.</summary>
public abstract record FeatureModel : Transformer
{
    /// <summary>Columns of features, in the order they were learned from.</summary>
    public ValueList<string> FeatureColumns { get; init => field = Check.Names(value); } = ["features"];

    /// <summary>The column of predictions that is added.</summary>
    public string PredictionColumn { get; init => field = Check.Name(value); } = "prediction";

    /// <summary>How many features it needs.</summary>
    public abstract int FeatureCount { get; }

    /// <summary>The feature columns in a frame, checked.</summary>
    internal FeatureColumns FeaturesOf(DataFrame frame) => Data.FeatureColumns.Of(frame, FeatureColumns, GetType().Name);

    /// <summary>A frame with one more column; a name that is there already is refused.</summary>
    internal DataFrame Add(DataFrame frame, string name, Column column)
    {
        if (frame.Schema.IndexOf(name) >= 0)
            throw new QueryException("COLUMN_ALREADY_EXISTS", $"{GetType().Name} adds a column '{name}', and the frame has one already. Drop that, or give the model another name with {{ ... }}.");
        return frame.WithColumn(name, column);
    }

    /// <summary>Refuses a row of the wrong length, for predictions of single rows.</summary>
    internal void CheckRow(int length)
    {
        if (length != FeatureCount) throw new ArgumentException($"{GetType().Name} needs rows of {FeatureCount} features, and this one has {length}.");
    }
}
