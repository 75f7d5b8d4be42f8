namespace Dataflow.MLlib.TreeBins;

/// <summary>
/// Where features lie in a row of bins: columns of a byte each. A column holds one feature, or several with few bins, as digits of one number: one addition to a
/// histogram then serves them all, and the histogram of each is the exact sum over the others.
/// </summary>
internal sealed class BinLayout
{
    /// <summary>Bins of a column at most.</summary>
    public const int ColumnBins = 256;

    private BinLayout(BinMapper[] mappers, int[] columnOf, int[] multiplierOf, int[][] featuresOf)
    {
        (Mappers, ColumnOf, MultiplierOf, FeaturesOf) = (mappers, columnOf, multiplierOf, featuresOf);
        BinsOf = new int[featuresOf.Length];
        for (var column = 0; column < BinsOf.Length; column++)
            BinsOf[column] = featuresOf[column].Aggregate(1, (product, feature) => product * mappers[feature].Bins);
    }

    public BinMapper[] Mappers { get; }

    public int Features => Mappers.Length;

    public int Columns => FeaturesOf.Length;

    /// <summary>By feature: its column; -1 if it is constant.</summary>
    public int[] ColumnOf { get; }

    /// <summary>By feature: what its bin is multiplied with in the column's number.</summary>
    public int[] MultiplierOf { get; }

    /// <summary>By column: its features.</summary>
    public int[][] FeaturesOf { get; }

    /// <summary>By column: how many numbers can occur.</summary>
    public int[] BinsOf { get; }

    /// <summary>Places the features: those of many bins alone, those of few together.</summary>
    public static BinLayout Of(BinMapper[] mappers)
    {
        var columnOf = new int[mappers.Length];
        var multiplierOf = new int[mappers.Length];
        var columns = new List<(List<int> Features, int Bins)>();
        Array.Fill(columnOf, -1);
        var usable = Enumerable.Range(0, mappers.Length).Where(f => !mappers[f].IsConstant).ToArray();
        foreach (var feature in usable.Where(f => mappers[f].Bins > 16)) Place(feature, columns.Count);

        // The largest first; a feature goes where it leaves the least room.
        foreach (var feature in usable.Where(f => mappers[f].Bins <= 16).OrderByDescending(f => mappers[f].Bins).ThenBy(f => f))
        {
            var best = columns.Count;
            for (var column = 0; column < columns.Count; column++)
            {
                if ((columns[column].Bins > 16 && columns[column].Features.Count == 1 && mappers[columns[column].Features[0]].Bins > 16)
                    || columns[column].Bins * mappers[feature].Bins > ColumnBins)
                {
                    continue;
                }
                if (best == columns.Count || columns[column].Bins > columns[best].Bins) best = column;
            }
            Place(feature, best);
        }
        return new(mappers, columnOf, multiplierOf, [.. columns.Select(column => column.Features.ToArray())]);

        void Place(int feature, int column)
        {
            if (column == columns.Count) columns.Add(([], 1));
            var (features, bins) = columns[column];
            features.Add(feature);
            (columnOf[feature], multiplierOf[feature]) = (column, bins);
            columns[column] = (features, bins * mappers[feature].Bins);
        }
    }
}
