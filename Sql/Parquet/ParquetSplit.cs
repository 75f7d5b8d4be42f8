using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Parquet;

/// <summary>A row group of a file, with all that a task needs to read the wanted columns of it.</summary>
/// <param name="Path">The file.</param>
/// <param name="FileLength">Its length when its footer was read.</param>
/// <param name="Ordinal">The row group's number in the file.</param>
/// <param name="Rows">Rows of the row group.</param>
/// <param name="ReadRows">How many of them are wanted: fewer where a limit says so.</param>
/// <param name="Columns">The wanted columns, in the order of the batches.</param>
/// <param name="Filters">What is known of the rows that are wanted, with the columns that the filters are about.</param>
/// <param name="Hosts">Machines that have its data, best first.</param>
internal sealed record ParquetSplit(string Path, long FileLength, int Ordinal, long Rows, long ReadRows, ValueList<SplitColumn> Columns, ValueList<SplitFilter> Filters, ValueList<string> Hosts)
    : TableSplit(Rows, Hosts);

/// <summary>A wanted column of a row group.</summary>
/// <param name="Field">Its position in the table's schema.</param>
/// <param name="Name">Its name, for errors.</param>
/// <param name="Type">Its type in the table.</param>
/// <param name="Source">How this file stores it; null if the file does not have it, and all rows are null.</param>
/// <param name="Chunk">Where its values are.</param>
internal sealed record SplitColumn(int Field, string Name, DataType Type, StoredColumn? Source, ColumnChunk? Chunk);

/// <summary>A filter, and the column that it is about.</summary>
internal sealed record SplitFilter(ScanFilter Filter, StoredColumn Column, ColumnChunk Chunk);
