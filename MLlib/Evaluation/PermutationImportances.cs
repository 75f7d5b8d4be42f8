namespace Dataflow.MLlib;

/// <summary>How much a model's score owes to each column: what <see cref="PermutationImportance.Measure"/> gives.</summary>
/// <param name="Score">The score of the rows as they are.</param>
/// <param name="Columns">By column and element, in the order of the columns.</param>
public sealed record PermutationImportances(double Score, ValueList<ColumnImportance> Columns)
{
    /// <summary>The most important first; equally important ones in the order of the columns.</summary>
    public IReadOnlyList<ColumnImportance> Ranked => [.. Columns.OrderByDescending(column => column.Mean)];
}

/// <summary>How much worse a score becomes when a column, or one element of a column of vectors, is shuffled.</summary>
/// <param name="Column">The column.</param>
/// <param name="Position">The element of a column of vectors, from 0; null for a whole column.</param>
/// <param name="Drops">By repeat: how much worse the score was. Below 0 where it was better, which is chance or a model that overfits.</param>
public sealed record ColumnImportance(string Column, int? Position, ValueList<double> Drops)
{
    /// <summary>The column's name; <c>features_3</c> for element 3 of a vector.</summary>
    public string Name => Position is { } position ? $"{Column}_{position}" : Column;

    /// <summary>The mean of the drops.</summary>
    public double Mean => Drops.Sum() / Drops.Count;

    /// <summary>The standard deviation of the drops (of a population, as scikit-learn's <c>importances_std</c>).</summary>
    public double Deviation
    {
        get
        {
            var mean = Mean;
            return Math.Sqrt(Drops.Sum(drop => (drop - mean) * (drop - mean)) / Drops.Count);
        }
    }
}
