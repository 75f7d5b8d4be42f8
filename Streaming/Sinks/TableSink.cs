namespace Dataflow.Streaming.Sinks;

/// <summary>Adds each batch to a table that lasts, as a folder of files: a <see cref="FileSink"/> in the table's folder.</summary>
/// <param name="warehouse">Where tables are.</param>
/// <param name="table">The table's name.</param>
internal sealed class TableSink(Warehouse warehouse, string table) : IStreamSink
{
    private FileSink? _files;

    public string Name => $"table '{table}'";

    public bool ReadsOnce => true;

    public Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken)
    {
        // A batch alone would be a table without what was there before.
        var folder = warehouse.Find(table) ?? throw new StreamingException("SINK_WITHOUT_TABLE",
            $"The table '{table}' was dropped since the query began. A start makes it anew: with the query's checkpoint it gets the batches from {batch.Id} on, with another one all rows.");
        _files ??= FileSink.Parquet(folder);
        return _files.WriteAsync(batch, cancellationToken);
    }
}
