using Dataflow.Files;

namespace Dataflow.Streaming.Sinks;

/// <summary>Adds each batch to a table that lasts, as a folder of files: a <see cref="FileSink"/> in the table's folder.</summary>
/// <param name="warehouse">Where tables are.</param>
/// <param name="table">The table's name.</param>
/// <param name="columns">Its columns when the query began, which rows have too.</param>
internal sealed class TableSink(Warehouse warehouse, string table, Schema columns) : IStreamSink
{
    private bool _hasBatches;

    public string Name => $"table '{table}'";

    public bool ReadsOnce => true;

    public async Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken)
    {
        // A batch alone would be a table without what was there before.
        var folder = warehouse.Find(table) ?? throw Dropped(batch, "");
        if (FileSystems.For(folder).Find(FilePath.Combine(folder, FileSink.OwnerFile)) is null)
        {
            // A table of that name that was made in its place is not the one that the query was begun for.
            if (_hasBatches) throw Dropped(batch, ", and made again");
            if (warehouse.Open(table) is { } now && !Fits(now.Schema)) throw Dropped(batch, $", and made again with other columns ({now.Schema})");
        }
        await FileSink.OfTable(folder, isFirst: !_hasBatches).WriteAsync(batch, cancellationToken).ConfigureAwait(false);
        _hasBatches = true;
    }

    private bool Fits(Schema now) => now.Select(field => (field.Name, field.Type)).SequenceEqual(columns.Select(field => (field.Name, field.Type)));

    private StreamingException Dropped(StreamBatch batch, string what) => new("SINK_WITHOUT_TABLE",
        $"The table '{table}' was dropped since the query began{what}. A start makes it anew where it is missing: with the query's checkpoint it gets the batches from {batch.Id} on, with another one all rows.");
}
