namespace Dataflow.Streaming;

/// <summary>Prints the first rows of each batch as a table. For a look at a stream.</summary>
/// <param name="rows">How many rows at most.</param>
/// <param name="output">Where to; null for the console.</param>
public sealed class ConsoleSink(int rows = 20, TextWriter? output = null) : IStreamSink
{
    /// <inheritdoc/>
    public string Name => "the console";

    /// <inheritdoc/>
    public async Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var text = await Task.Run(() => batch.Rows.ShowText(rows, truncate: 0), cancellationToken).ConfigureAwait(false);
        await (output ?? Console.Out).WriteAsync($"batch {batch.Id}\n{text}\n").ConfigureAwait(false);
    }
}
