using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib.TreeExchange;

/// <summary>Reads what XGBoost's <c>save_model("x.json")</c> writes: boosters gbtree and dart, categorical splits included. Written for versions 1.7 to 3.</summary>
/// <remarks>
/// XGBoost compares values rounded to single precision, smaller goes left; thresholds are moved so that the same values go left here, floats and doubles. The base
/// score is added to the first iteration's leaves, dart's weights are multiplied in. Sums of hessians (covers) become counts of rows, scaled to whole numbers where they
/// are not. Where a categorical split sends missing values right, categories that no split of the model knows go right too; XGBoost sends them left.
/// If early stopping noted a best iteration, predictions use that many.
/// </remarks>
public static class XGBoostJson
{
    /// <summary>Reads a file.</summary>
    /// <remarks>The whole file is held in memory while it is read.</remarks>
    /// <exception cref="ModelFormatException">It is not such a model, is malformed, or uses a booster or an objective that is not supported.</exception>
    public static TreeEnsemble Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Parse(File.ReadAllText(path), path);
    }

    /// <summary>Reads a text; <paramref name="source"/> is what errors call it.</summary>
    /// <exception cref="ModelFormatException">It is not such a model, is malformed, or uses a booster or an objective that is not supported.</exception>
    public static TreeEnsemble Parse(string text, string source = "XGBoost model")
    {
        ArgumentNullException.ThrowIfNull(text);
        return new XGBoostReader(source).Read(text);
    }
}
