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
/// <remarks>The path becomes a folder with a file for each partition that has rows. It appears whole, with an empty <c>_SUCCESS</c> in it, or not at all.</remarks>
public sealed class DataFrameWriter
{
    private readonly DataFrame _frame;
    private readonly SaveMode _mode;

    internal DataFrameWriter(DataFrame frame, SaveMode mode)
    {
        _frame = frame;
        _mode = mode;
    }

    /// <summary>The same with another way to treat what is at the path.</summary>
    /// <param name="mode">The way; <see cref="SaveMode.ErrorIfExists"/> if this is not called.</param>
    public DataFrameWriter Mode(SaveMode mode) => new(_frame, mode);

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
        FrameWriter.WriteAsync(_frame, path, new ParquetFormat(options), _mode, cancellationToken);

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
        FrameWriter.WriteAsync(_frame, path, new CsvFormat(options ?? new CsvOptions()), _mode, cancellationToken);

    /// <summary>Writes JSON files: an object a line, without the fields that are null.</summary>
    /// <remarks>Action. Timestamps are in UTC, bytes in base 64.</remarks>
    /// <param name="path">A folder.</param>
    /// <exception cref="OutputException">Something is there already, or the folder can't be written to.</exception>
    /// <exception cref="QueryException">A value can't be computed, or a column's type can't be written.</exception>
    public void Json(string path) => JsonAsync(path).GetAwaiter().GetResult();

    /// <inheritdoc cref="Json"/>
    /// <param name="cancellationToken">Cancels the job; nothing is left of it.</param>
    public Task JsonAsync(string path, CancellationToken cancellationToken = default) => FrameWriter.WriteAsync(_frame, path, new JsonFormat(), _mode, cancellationToken);
}
