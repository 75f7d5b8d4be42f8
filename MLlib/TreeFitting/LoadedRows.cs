using Dataflow.MLlib.TreeBins;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>Rows of one partition as columns of numbers, as they wait to be binned.</summary>
/// <param name="Rows">How many.</param>
/// <param name="Columns">By feature: <c>float[]</c> or <c>double[]</c>, of at least so many elements; NaN is missing.</param>
/// <param name="Others">Columns behind the features: label, weight and the like, by their place; NaN is missing.</param>
internal sealed record LoadedBlock(int Rows, Array[] Columns, double[][] Others) : IDisposable
{
    private readonly MappedColumns? _mapped;

    private LoadedBlock(MappedColumns mapped, int features) : this(mapped.Rows, [], [])
    {
        _mapped = mapped;
        Features = features;
    }

    /// <summary>Bytes of memory that it takes.</summary>
    public long Bytes => Columns.Sum(column => (long)Buffer.ByteLength(column)) + Others.Sum(column => (long)Buffer.ByteLength(column));

    private int Features { get; }

    /// <summary>The same rows in a temporary file.</summary>
    /// <param name="folder">Where.</param>
    public LoadedBlock ToFile(string folder) => new(new MappedColumns(folder, [.. Columns, .. Others], Rows), Columns.Length);

    /// <summary>A column behind the features.</summary>
    public ReadOnlySpan<double> Other(int at) => _mapped is null ? Others[at].AsSpan(0, Rows) : _mapped.Doubles(Features + at);

    /// <inheritdoc/>
    public void Dispose() => _mapped?.Dispose();

    /// <summary>The rows as binning reads them.</summary>
    /// <param name="firstRow">The number that the first row has in the whole data set.</param>
    public RowSource At(long firstRow) => new ColumnRows(_mapped ?? (IColumns)new ArrayColumns(Columns)) { FirstRow = firstRow, Rows = Rows };
}

/// <summary>The rows of one partition.</summary>
/// <param name="Blocks">Rows that are learned from, in order.</param>
/// <param name="Validation">Rows that are only watched, in order.</param>
/// <param name="VectorWidths">Elements of each vector column, 1 for numbers, -1 where no row had a vector.</param>
internal sealed record LoadedRows(LoadedBlock[] Blocks, LoadedBlock[] Validation, int[] VectorWidths) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var block in Blocks.Concat(Validation)) block.Dispose();
    }

    /// <summary>Rows that are learned from.</summary>
    public long Rows => Blocks.Sum(block => (long)block.Rows);

    /// <summary>Rows that are only watched.</summary>
    public long ValidationRows => Validation.Sum(block => (long)block.Rows);

    /// <summary>Bytes in all.</summary>
    public long Bytes => Blocks.Concat(Validation).Sum(block => block.Bytes);

    /// <summary>The greatest label of the rows that are learned from; NaN if there is none.</summary>
    public double GreatestLabel { get; init; } = double.NaN;
}

/// <summary>A partition that is held for a task.</summary>
/// <param name="Partition">Its index.</param>
/// <param name="Rows">Its rows; who is done with them ends the lease.</param>
internal sealed record LoadedLease(int Partition, Storage.StateHandle<LoadedRows> Rows)
{
    /// <summary>What the driver wants to know of it. Ends the lease.</summary>
    /// <param name="queryAt">As of the plan.</param>
    public LoadedPartition Summary(int queryAt)
    {
        using var rows = Rows;
        var services = Tasks.TaskContext.Current!.Services;
        return new LoadedPartition(Partition, rows.Value.Rows, rows.Value.ValidationRows, rows.Value.VectorWidths, rows.Value.GreatestLabel, services.Executor.ToString(), services.Options.Threads)
        {
            MemoryBytes = services.Memory.TotalBytes,
            Queries = Ends(rows.Value.Blocks, queryAt),
            ValidationQueries = Ends(rows.Value.Validation, queryAt),
        };
    }

    private static QueryEnds? Ends(LoadedBlock[] blocks, int queryAt)
    {
        if (queryAt < 0 || Array.TrueForAll(blocks, block => block.Rows == 0)) return null;
        var (first, last) = (Array.Find(blocks, block => block.Rows > 0)!, Array.FindLast(blocks, block => block.Rows > 0)!);
        return new QueryEnds(first.Other(queryAt)[0], first.Other(queryAt + 1)[0], last.Other(queryAt)[^1], last.Other(queryAt + 1)[^1]);
    }
}

/// <summary>What the driver learns of a partition that was loaded.</summary>
/// <param name="Partition">Its index.</param>
/// <param name="Rows">Its rows that are learned from.</param>
/// <param name="ValidationRows">Its rows that are only watched.</param>
/// <param name="VectorWidths">As of its rows.</param>
/// <param name="GreatestLabel">As of its rows.</param>
/// <param name="Executor">Which executor holds it.</param>
/// <param name="Slots">How many slots that executor has.</param>
internal sealed record LoadedPartition(int Partition, long Rows, long ValidationRows, int[] VectorWidths, double GreatestLabel, string Executor, int Slots)
{
    /// <summary>The memory budget of that executor.</summary>
    public long MemoryBytes { get; init; } = long.MaxValue;

    /// <summary>The queries at its ends, of rows that are learned from; null if there are none.</summary>
    public QueryEnds? Queries { get; init; }

    /// <summary>The same of rows that are only watched.</summary>
    public QueryEnds? ValidationQueries { get; init; }
}

/// <summary>The queries of the first and the last row of a partition, each in two halves.</summary>
internal sealed record QueryEnds(double FirstHigh, double FirstLow, double LastHigh, double LastLow)
{
    /// <summary>Whether the query that it ends with goes on in another partition.</summary>
    public bool GoesOnIn(QueryEnds next) => LastHigh == next.FirstHigh && LastLow == next.FirstLow;
}
