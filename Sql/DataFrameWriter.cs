using Dataflow.Sql.Parquet;
using Dataflow.Sql.Writing;

namespace Dataflow.Sql;

/// <summary>What becomes of what is at a path already.</summary>
public enum SaveMode
{
    /// <summary>Writing is refused.</summary>
    ErrorIfExists,

    /// <summary>It stays until the new files are complete, and then makes way for them.</summary>
    Overwrite,

    /// <summary>It stays, and the new files come beside it.</summary>
    Append,

    /// <summary>It stays, and nothing is written.</summary>
    Ignore,
}

/// <summary>Writes a frame to files: <c>frame.Write.Mode(SaveMode.Overwrite).Parquet("out/orders")</c>. Immutable.</summary>
/// <remarks>The path becomes a folder with a file for each partition that has rows, or more (<see cref="PartitionBy"/>, <see cref="RowsPerFile"/>,
/// <see cref="BytesPerFile"/>). It appears whole, with an empty <c>_SUCCESS</c> in it, or not at all. Files that are appended come one after the other, once
/// all are complete.</remarks>
public sealed class DataFrameWriter
{
    private readonly DataFrame _frame;
    private readonly WriteOptions _options;

    internal DataFrameWriter(DataFrame frame, SaveMode mode) : this(frame, new WriteOptions(mode, [])) { }

    private DataFrameWriter(DataFrame frame, WriteOptions options)
    {
        _frame = frame;
        _options = options;
    }

    /// <summary>Writes files of a format of another part of Dataflow.</summary>
    /// <param name="select">The columns that the format takes, of the frame.</param>
    /// <param name="format">The format.</param>
    /// <param name="path">The folder.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    internal Task WriteAsync(Func<DataFrame, DataFrame> select, BatchFormat format, string path, CancellationToken cancellationToken) =>
        FrameWriter.WriteAsync(select(_frame), path, format, _options, cancellationToken);

    /// <summary>The same with another way to treat what is at the path.</summary>
    /// <param name="mode">The way; <see cref="SaveMode.ErrorIfExists"/> if this is not called.</param>
    public DataFrameWriter Mode(SaveMode mode) => new(_frame, _options with { Mode = mode });

    /// <summary>The same with a folder for each value of some columns: <c>year=2024/month=1/part-00000.parquet</c>. Readers get the columns back from the
    /// names, and pass over folders that they need not look into.</summary>
    /// <remarks>Rows are sorted by these columns in each partition, so that one file is open at a time. Each partition writes a file into each folder
    /// that it has rows for. Names are escaped as Hive and Spark do it; null and the
    /// empty text are <c>__HIVE_DEFAULT_PARTITION__</c>. Without rows there are no folders.</remarks>
    /// <param name="columns">Names of columns, the outermost folder's first; none for no folders.</param>
    public DataFrameWriter PartitionBy(params string[] columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return new(_frame, _options with { PartitionColumns = [.. columns] });
    }

    /// <summary>The same as a batch of a stream is written: files are on the disk before they count, and nothing is written where there are no rows.</summary>
    internal DataFrameWriter AsBatch() => new(_frame, _options with { LeavesOutEmpty = true, IsDurable = true });

    /// <summary>The same with files of so many rows at most.</summary>
    /// <param name="rows">Rows of a file; 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    public DataFrameWriter RowsPerFile(long rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        return new(_frame, _options with { RowsPerFile = rows });
    }

    /// <summary>The same with files that end once they have so many bytes.</summary>
    /// <remarks>A file is longer by what is written at once: a row group of Parquet (<see cref="ParquetWriteOptions.RowGroupRows"/>), some hundred kilobytes of
    /// CSV and JSON.</remarks>
    /// <param name="bytes">Bytes of a file; 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1.</exception>
    public DataFrameWriter BytesPerFile(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        return new(_frame, _options with { BytesPerFile = bytes });
    }

    /// <summary>Writes Parquet files.</summary>
    /// <remarks>Action.</remarks>
    /// <param name="path">A folder.</param>
    /// <param name="options">Compression and the like; null for the defaults.</param>
    /// <exception cref="OutputException">Something is there already, or the folder can't be written to.</exception>
    /// <exception cref="QueryException">A value can't be computed, or a column's type can't be written.</exception>
    public void Parquet(string path, ParquetWriteOptions? options = null) => ParquetAsync(path, options).GetAwaiter().GetResult();

    /// <inheritdoc cref="Parquet"/>
    /// <param name="cancellationToken">Cancels the job; nothing is left of it.</param>
    public Task ParquetAsync(string path, ParquetWriteOptions? options = null, CancellationToken cancellationToken = default) =>
        FrameWriter.WriteAsync(_frame, path, new ParquetFormat(options), _options, cancellationToken);

    /// <summary>Writes a table that lasts, in the folder of <see cref="Warehouse"/>: <c>context.Table(name)</c> and SQL have it from now on, also in later programs.</summary>
    /// <remarks>Action. Files are on the disk when it ends. The table appears whole. With <see cref="SaveMode.Append"/> columns go by name, and the rows appear all at once.</remarks>
    /// <param name="name">Letters, digits and <c>_</c>.</param>
    /// <exception cref="QueryException">There is such a table (<see cref="SaveMode.ErrorIfExists"/>), or it has other columns (<see cref="SaveMode.Append"/>), or the batches of a stream
    /// (<see cref="SaveMode.Overwrite"/>); or the frame has columns for folders (<see cref="PartitionBy"/>), which tables don't have.</exception>
    /// <exception cref="OutputException">The folder can't be written to.</exception>
    public void SaveAsTable(string name) => SaveAsTableAsync(name).GetAwaiter().GetResult();

    /// <inheritdoc cref="SaveAsTable"/>
    /// <param name="cancellationToken">Cancels the job; nothing is left of it.</param>
    public Task SaveAsTableAsync(string name, CancellationToken cancellationToken = default) => _frame.Session.Warehouse.WriteAsync(name, _frame, _options, cancellationToken);

    /// <summary>Writes CSV files.</summary>
    /// <remarks>Action. Nulls are written as <see cref="CsvOptions.NullValue"/> without quotes, texts that look like it within quotes. Timestamps are in UTC.</remarks>
    /// <param name="path">A folder.</param>
    /// <param name="options">Header, delimiter, quote, escape, null value and formats are used; null for the defaults.</param>
    /// <exception cref="OutputException">Something is there already, or the folder can't be written to.</exception>
    /// <exception cref="QueryException">A value can't be computed, or a column's type can't be written.</exception>
    public void Csv(string path, CsvOptions? options = null) => CsvAsync(path, options).GetAwaiter().GetResult();

    /// <inheritdoc cref="Csv"/>
    /// <param name="cancellationToken">Cancels the job; nothing is left of it.</param>
    public Task CsvAsync(string path, CsvOptions? options = null, CancellationToken cancellationToken = default) =>
        FrameWriter.WriteAsync(_frame, path, new CsvFormat(options ?? new CsvOptions()), _options, cancellationToken);

    /// <summary>Writes JSON files: an object a line, without the fields that are null.</summary>
    /// <remarks>Action. Timestamps are in UTC, bytes in base 64.</remarks>
    /// <param name="path">A folder.</param>
    /// <exception cref="OutputException">Something is there already, or the folder can't be written to.</exception>
    /// <exception cref="QueryException">A value can't be computed, or a column's type can't be written.</exception>
    public void Json(string path) => JsonAsync(path).GetAwaiter().GetResult();

    /// <inheritdoc cref="Json"/>
    /// <param name="cancellationToken">Cancels the job; nothing is left of it.</param>
    public Task JsonAsync(string path, CancellationToken cancellationToken = default) => FrameWriter.WriteAsync(_frame, path, new JsonFormat(), _options, cancellationToken);

    /// <summary>Writes files of text: the values of one column, a line each; null is an empty line.</summary>
    /// <remarks>Action. Ends of lines within a value are written as they are.</remarks>
    /// <param name="path">A folder.</param>
    /// <exception cref="OutputException">Something is there already, or the folder can't be written to.</exception>
    /// <exception cref="QueryException">A value can't be computed, or the frame has other columns than one of type string.</exception>
    public void Text(string path) => TextAsync(path).GetAwaiter().GetResult();

    /// <inheritdoc cref="Text"/>
    /// <param name="cancellationToken">Cancels the job; nothing is left of it.</param>
    public Task TextAsync(string path, CancellationToken cancellationToken = default) => FrameWriter.WriteAsync(_frame, path, new TextFormat(), _options, cancellationToken);
}
