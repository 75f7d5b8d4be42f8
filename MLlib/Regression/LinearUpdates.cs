using Dataflow.MLlib.Linalg;

namespace Dataflow.MLlib.Regression;

/// <summary>What a linear model keeps to learn from more rows: how it learned, and the sums of products of all rows so far.</summary>
/// <param name="Learner">The estimator that made the model.</param>
/// <param name="Sums">Of features and label.</param>
internal sealed record LinearUpdates(LinearRegression Learner, GramSums Sums)
{
    public void Write(ModelFolder folder)
    {
        folder.WriteStages([Learner]);
        folder.Set("rows", Sums.Rows);
        folder.Set("weight", Sums.Weight);
        folder.Set("squaredWeight", Sums.SquaredWeight);
        folder.WriteArray<double>("means", Sums.Means);
        folder.WriteArray<double>("products", Sums.Products, Sums.Width);
    }

    /// <summary>What was written; null if the model kept nothing.</summary>
    public static LinearUpdates? Read(ModelFolder folder)
    {
        if (!folder.Contains("stages")) return null;
        var learner = folder.ReadStages() is [LinearRegression only] ? only : throw new ArgumentException($"its stage is no {nameof(LinearRegression)}");
        var (means, products) = (folder.ReadArray<double>("means"), folder.ReadArray<double>("products"));
        if (products.Length != (long)means.Length * means.Length) throw new ArgumentException($"{products.Length} products do not fit {means.Length} means");
        return new LinearUpdates(learner, new GramSums(folder.Get<long>("rows"), folder.Get<double>("weight"), folder.Get<double>("squaredWeight"), means, products));
    }
}
