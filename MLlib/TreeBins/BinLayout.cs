namespace Dataflow.MLlib.TreeBins;

/// <summary>
/// Where features lie in a row of bins: columns of a byte each, or of two bytes where any feature has too many bins. A column holds one feature, or several with few
/// bins, as digits of one number: one addition to a histogram then serves them all, and the histogram of each is the exact sum over the others.
/// </summary>
internal sealed class BinLayout
{
    /// <summary>Bins of a column of bytes at most, and of any column that several features share.</summary>
    public const int ColumnBins = 256;

    /// <summary>Bins of a column of two bytes at most.</summary>
    public const int WideBins = 65_536;

    // Cells of a histogram whose columns have cells of their own number: half a gigabyte.
    private const long MostWideCells = 1L << 26;

    private BinLayout(BinMapper[] mappers, int[] columnOf, int[] multiplierOf, int[][] featuresOf)
    {
        (Mappers, ColumnOf, MultiplierOf, FeaturesOf) = (mappers, columnOf, multiplierOf, featuresOf);
        BinsOf = new int[featuresOf.Length];
        for (var column = 0; column < BinsOf.Length; column++)
            BinsOf[column] = featuresOf[column].Aggregate(1, (product, feature) => product * mappers[feature].Bins);
        MostBins = BinsOf.DefaultIfEmpty(0).Max();
        IsWide = MostBins > ColumnBins;

        // Columns of bytes have 256 cells each, so that kernels know where they are; wide ones whole vectors of them.
        FirstCell = new int[BinsOf.Length + 1];
        long next = 0;
        for (var column = 0; column < BinsOf.Length; column++)
        {
            next += IsWide ? (BinsOf[column] + 7) & ~7 : ColumnBins;
            if (next > (IsWide ? MostWideCells : int.MaxValue)) throw TooManyCells(BinsOf.Length);
            FirstCell[column + 1] = (int)next;
        }
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

    /// <summary>The most numbers of a column.</summary>
    public int MostBins { get; }

    /// <summary>Whether a number takes two bytes.</summary>
    public bool IsWide { get; }

    /// <summary>Bytes of a number: 1 or 2.</summary>
    public int NumberBytes => IsWide ? 2 : 1;

    /// <summary>By column: where its cells begin in a histogram; behind the last, how many cells a histogram has.</summary>
    public int[] FirstCell { get; }

    /// <summary>Cells of a histogram.</summary>
    public int Cells => FirstCell[^1];

    private static ArgumentException TooManyCells(int columns) => new(
        $"Histograms of {columns:N0} columns with so many bins would have more than {MostWideCells:N0} cells. Ask for fewer bins (MaxBins), or train on fewer features.");

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
