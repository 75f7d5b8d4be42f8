namespace Dataflow.Streaming;

/// <summary>Gives each batch to code of the program.</summary>
internal sealed class ForeachBatchSink(Func<DataFrame, long, Task> write) : IStreamSink
{
    public string Name => "ForeachBatch";

    public Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken) => write(batch.Rows, batch.Id);
}
