using Dataflow.Sql.Expressions;
using Dataflow.Sql.ParquetMetadata;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Parquet;

/// <summary>A row group of a file, or some rows of a large one, with all that a task needs to read the wanted columns of it.</summary>
/// <param name="Path">The file.</param>
/// <param name="FileLength">Its length when its footer was read.</param>
/// <param name="Ordinal">The row group's number in the file.</param>
/// <param name="GroupRows">Rows of the row group.</param>
/// <param name="StartRow">The first row of the split.</param>
/// <param name="ReadRows">Rows of the split: fewer than the row group has where others read the rest, or a limit says so.</param>
/// <param name="Columns">The wanted columns, in the order of the batches.</param>
/// <param name="Filters">What is known of the rows that are wanted, with the columns that the filters are about.</param>
/// <param name="Hosts">Machines that have its data, best first.</param>
internal sealed record ParquetSplit(string Path, long FileLength, int Ordinal, long GroupRows, long StartRow, long ReadRows, ValueList<SplitColumn> Columns, ValueList<SplitFilter> Filters, ValueList<string> Hosts)
    : TableSplit(ReadRows, Hosts);

/// <summary>A wanted column of a row group.</summary>
/// <param name="Field">Its position in the table's schema.</param>
/// <param name="Name">Its name, for errors.</param>
/// <param name="Type">Its type in the table.</param>
/// <param name="Source">How this file stores it; null if the file does not have it, and all rows hold <see cref="Constant"/>.</param>
/// <param name="Chunk">Where its values are.</param>
internal sealed record SplitColumn(int Field, string Name, DataType Type, StoredColumn? Source, ColumnChunk? Chunk)
{
    /// <summary>The value of all rows, where the file does not store it.</summary>
    public Literal Constant { get; init; } = Literal.NullOf(Type);
}

/// <summary>A filter, and the column that it is about.</summary>
internal sealed record SplitFilter(ScanFilter Filter, StoredColumn Column, ColumnChunk Chunk);
