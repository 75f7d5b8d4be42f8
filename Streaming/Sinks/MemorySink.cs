namespace Dataflow.Streaming;

/// <summary>Keeps all rows in the driver's memory, for tests and notebooks. What it holds is lost with the process.</summary>
public sealed class MemorySink : IStreamSink
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<long, IReadOnlyList<Row>> _batches = [];

    /// <inheritdoc/>
    public string Name => "memory";

    /// <summary>The rows so far, batch after batch; in complete mode those of the last batch.</summary>
    public IReadOnlyList<Row> Rows
    {
        get
        {
            lock (_lock) return [.. _batches.Values.SelectMany(rows => rows)];
        }
    }

    /// <summary>The rows of a batch; none if it gave none.</summary>
    /// <param name="batch">Its number.</param>
    public IReadOnlyList<Row> RowsOf(long batch)
    {
        lock (_lock) return _batches.GetValueOrDefault(batch) ?? [];
    }

    /// <inheritdoc/>
    public async Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var rows = await batch.Rows.CollectAsync(cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            if (batch.Mode == OutputMode.Complete) _batches.Clear();
            _batches[batch.Id] = rows;
        }
    }
}
