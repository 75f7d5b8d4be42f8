using System.Globalization;
using Dataflow.Files;

namespace Dataflow.Streaming;

/// <summary>
/// Writes each batch into a folder of its own, <c>batch=12</c>, below a folder. A batch's folder appears whole, and takes the place of what an earlier attempt left of the
/// batch: every row is there exactly once, whatever failed, and who reads the files meanwhile (also with other tools) sees whole batches only. Files are on the disk before the batch counts as done.
/// </summary>
/// <remarks>Readers that know folders of columns (<c>context.Read.Parquet(folder)</c> among them) give the batch's number as a column <c>batch</c>. Batches without rows have no
/// folder. In update and complete mode a group stands in every batch that gave it: the greatest <c>batch</c> has its last value.</remarks>
public sealed class FileSink : IStreamSink
{
    /// <summary>The file that says whose batches a folder has.</summary>
    internal const string OwnerFile = "_query";

    private const string BatchPrefix = "batch=";

    private readonly string _folder;
    private readonly Func<DataFrameWriter, string, CancellationToken, Task> _write;
    private readonly string[] _partitionColumns;
    private bool _isFirst;
    private Guid? _query;
    private long? _last;

    private FileSink(string format, string folder, string[] partitionBy, Func<DataFrameWriter, string, CancellationToken, Task> write)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        Name = $"{format} files in '{folder}'";
        (_folder, _partitionColumns, _write) = (FileSystems.Resolve(folder), partitionBy, write);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Whether a batch that is there stays as it is when it comes again, for readers that may have it already. It is computed all the same, as the query's state goes on with it.</summary>
    internal bool KeepsFirst { get; init; }

    /// <inheritdoc/>
    public bool ReadsOnce => true;

    /// <summary>Parquet files.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">Compression and the like; null for the defaults.</param>
    /// <param name="partitionBy">Columns whose values name folders below those of batches.</param>
    public static FileSink Parquet(string folder, Sql.Parquet.ParquetWriteOptions? options = null, params string[] partitionBy) =>
        new("Parquet", folder, partitionBy, (writer, path, cancellation) => writer.ParquetAsync(path, options, cancellation));

    /// <summary>Parquet files of a table: other streams may read its batches as they come.</summary>
    /// <param name="folder">The table's folder.</param>
    /// <param name="isFirst">Whether it is for the first batch since the query was started, which may have been written by the start before.</param>
    internal static FileSink OfTable(string folder, bool isFirst) =>
        new("Parquet", folder, [], (writer, path, cancellation) => writer.ParquetAsync(path, null, cancellation)) { KeepsFirst = true, _isFirst = isFirst };

    /// <summary>Files of JSON objects, one a line.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="partitionBy">Columns whose values name folders below those of batches.</param>
    public static FileSink Json(string folder, params string[] partitionBy) => new("JSON", folder, partitionBy, (writer, path, cancellation) => writer.JsonAsync(path, cancellation));

    /// <summary>Files of comma-separated values.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">Header, delimiter and the like; null for the defaults.</param>
    /// <param name="partitionBy">Columns whose values name folders below those of batches.</param>
    public static FileSink Csv(string folder, CsvOptions? options = null, params string[] partitionBy) =>
        new("CSV", folder, partitionBy, (writer, path, cancellation) => writer.CsvAsync(path, options, cancellation));

    /// <inheritdoc/>
    public async Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Mode == OutputMode.Complete)
            throw new StreamingException("SINK_WITHOUT_MODE", $"{Name} keep the rows of all batches, and complete mode gives all groups anew with each. Use update or append mode, or ForeachBatch to write the last answer over the one before.");
        Claim(batch.Query);
        var name = $"{BatchPrefix}{batch.Id.ToString("D8", CultureInfo.InvariantCulture)}";
        var (system, path) = (FileSystems.For(_folder), FilePath.Combine(_folder, name));
        if (KeepsFirst || batch.Id - 1 != _last) CheckNotAhead(system, path, batch.Id);
        var again = KeepsFirst && system.Find(path) is not null ? FilePath.Combine(_folder, $"_again.{name}") : null;
        await _write(batch.Rows.Write.Mode(SaveMode.Overwrite).AsBatch().PartitionBy(_partitionColumns), again ?? path, cancellationToken).ConfigureAwait(false);
        if (again is not null) system.Delete(again);
        _last = batch.Id;
    }

    // What an older copy of the checkpoint goes on with may be cut into other batches than those that are there: of these, rows would stay beside the same rows in others, or in place of more.
    private void CheckNotAhead(IFileSystem system, string path, long batch)
    {
        var isNext = KeepsFirst && !_isFirst;
        var latest = isNext ? (system.Find(path) is null ? -1 : batch) : system.List(_folder).Where(entry => entry.IsFolder).Max(entry => NumberOf(FilePath.NameOf(entry.Path))) ?? -1;
        if (latest > batch || (isNext && latest == batch))
            throw new StreamingException("SINK_AHEAD_OF_CHECKPOINT", $"'{_folder}' has batches of the query up to {latest}, and its checkpoint goes on with {batch}: it is an older copy than what the batches were written with. "
                + $"Start with the checkpoint that belongs to them; or remove the folders '{BatchPrefix}...' from {batch} on, and then start with this one.");
    }

    private static long? NumberOf(string name) =>
        name.StartsWith(BatchPrefix, StringComparison.Ordinal) && long.TryParse(name.AsSpan(BatchPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    // Numbers of batches are those of one query: another's would take the places of its batches.
    private void Claim(Guid query)
    {
        if (_query == query) return;
        var (system, path) = (FileSystems.For(_folder), FilePath.Combine(_folder, OwnerFile));
        try
        {
            if (system.Find(path) is null)
            {
                using var file = system.Create(path);
                file.Stream.Write(System.Text.Encoding.ASCII.GetBytes(query.ToString()));
                file.Commit(replace: false, durable: true);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StreamingException("SINK_NOT_WRITABLE", $"{Name} can't be written: {error.Message} Make room for a folder of that name that this program may write, and start the query again: it goes on with this batch.", error);
        }
        using var reader = new StreamReader(system.OpenRead(path));
        if (reader.ReadToEnd() is var owner && owner != query.ToString())
            throw new StreamingException("SINK_OF_OTHER_QUERY", $"'{_folder}' has the batches of another query ({owner}; this one is {query}), whose numbers begin at 0 too. Start the query with the checkpoint that it began with, or write elsewhere.");
        _query = query;
    }
}
