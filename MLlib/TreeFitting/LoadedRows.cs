using Dataflow.MLlib.TreeBins;

namespace Dataflow.MLlib.TreeFitting;

/// <summary>Rows of one partition as columns of numbers, as they wait to be binned.</summary>
/// <param name="Rows">How many.</param>
/// <param name="Columns">By feature: <c>float[]</c> or <c>double[]</c>, of at least so many elements; NaN is missing.</param>
/// <param name="Others">Columns behind the features: label, weight and the like, by their place; NaN is missing.</param>
internal sealed record LoadedBlock(int Rows, Array[] Columns, double[][] Others)
{
    /// <summary>Bytes it takes.</summary>
    public long Bytes => Columns.Sum(column => (long)Buffer.ByteLength(column)) + Others.Sum(column => (long)Buffer.ByteLength(column));

    /// <summary>The rows as binning reads them.</summary>
    /// <param name="firstRow">The number that the first row has in the whole data set.</param>
    public RowSource At(long firstRow) => new ColumnRows(Columns) { FirstRow = firstRow, Rows = Rows };
}

/// <summary>The rows of one partition.</summary>
/// <param name="Blocks">Rows that are learned from, in order.</param>
/// <param name="Validation">Rows that are only watched, in order.</param>
/// <param name="VectorWidths">Elements of each vector column, 1 for numbers, -1 where no row had a vector.</param>
internal sealed record LoadedRows(LoadedBlock[] Blocks, LoadedBlock[] Validation, int[] VectorWidths)
{
    /// <summary>Rows that are learned from.</summary>
    public long Rows => Blocks.Sum(block => (long)block.Rows);

    /// <summary>Rows that are only watched.</summary>
    public long ValidationRows => Validation.Sum(block => (long)block.Rows);

    /// <summary>Bytes in all.</summary>
    public long Bytes => Blocks.Concat(Validation).Sum(block => block.Bytes);

    /// <summary>The greatest number in the first column behind the features; NaN if there is none.</summary>
    public double GreatestLabel => Blocks.Where(block => block.Others.Length > 0)
        .SelectMany(block => block.Others[0].Take(block.Rows)).Aggregate(double.NaN, static (most, label) => label > most || double.IsNaN(most) ? label : most);
}

/// <summary>A partition that is held for a task.</summary>
/// <param name="Partition">Its index.</param>
/// <param name="Rows">Its rows; who is done with them ends the lease.</param>
internal sealed record LoadedLease(int Partition, Storage.StateHandle<LoadedRows> Rows)
{
    /// <summary>What the driver wants to know of it. Ends the lease.</summary>
    public LoadedPartition Summary()
    {
        using var rows = Rows;
        var services = Tasks.TaskContext.Current!.Services;
        return new LoadedPartition(Partition, rows.Value.Rows, rows.Value.ValidationRows, rows.Value.VectorWidths, rows.Value.GreatestLabel, services.Executor.ToString(), services.Options.Threads);
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
internal sealed record LoadedPartition(int Partition, long Rows, long ValidationRows, int[] VectorWidths, double GreatestLabel, string Executor, int Slots);
