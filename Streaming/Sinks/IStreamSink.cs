namespace Dataflow.Streaming;

/// <summary>Where the rows of a query go, batch by batch. Called by one query, one batch at a time, on the driver.</summary>
public interface IStreamSink
{
    /// <summary>How errors call it.</summary>
    string Name { get; }

    /// <summary>Whether <see cref="WriteAsync"/> computes all rows exactly once (one action on the whole frame). Else the rows are kept until it ends.</summary>
    bool ReadsOnce => false;

    /// <summary>Takes the rows of a batch.</summary>
    /// <remarks>After a failure a batch may come again, with the same number and the same rows: it must then have its effect once.</remarks>
    /// <param name="batch">The batch.</param>
    /// <param name="cancellationToken">The query is stopped.</param>
    Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken);
}

/// <summary>What a query gives its sink.</summary>
/// <param name="Id">The batch's number: from 0, one more each time.</param>
/// <param name="Rows">Its rows; may be read until the sink is done with the batch.</param>
/// <param name="Mode">What they are.</param>
public sealed record StreamBatch(long Id, DataFrame Rows, OutputMode Mode)
{
    /// <summary>The query: the same from start to start with one checkpoint. With <see cref="Id"/> it names a batch among those of all queries. Rows that came too late are
    /// batches of a query of their own.</summary>
    public Guid Query { get; init; }
}
