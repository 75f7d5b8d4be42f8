using Dataflow.Sql.Sources;

namespace Dataflow.Streaming;

/// <summary>Where rows of a stream come from: a description, which any number of queries may open.</summary>
public interface IStreamSource
{
    /// <summary>How plans and errors call it.</summary>
    string Name { get; }

    /// <summary>Its columns.</summary>
    Schema Schema { get; }

    /// <summary>Begins to read, for one query.</summary>
    /// <param name="folder">A folder of its own in the query's checkpoint, for what must be remembered from start to start. Need not exist.</param>
    IStreamReader Open(string folder);
}

/// <summary>
/// Reads a stream for one query: says what is new, and gives a range again as often as it is asked. Called on the driver, one call at a time; disposed with the query.
/// </summary>
/// <remarks>An <em>offset</em> is a text that the reader makes and understands: a place in the stream. The query writes it down before it reads up to it, and after a failure
/// asks for the same range again, perhaps in another process, which then must have the same rows.</remarks>
public interface IStreamReader : IDisposable
{
    /// <summary>The end of what is there after a place, or of as much as one batch is to read.</summary>
    /// <param name="start">The place up to which was read; null at the beginning.</param>
    /// <param name="mostRows">About so many rows are wanted at most: who knows how many there are gives no more, who does not does as it can. At least one row is always given.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>The end; <paramref name="start"/> itself if nothing is new.</returns>
    ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellationToken);

    /// <summary>The end of the batch that comes next, if that is settled: as much waits as one batch is to read, so what comes meanwhile would not change it. Asked while the batch before is computed, for readers whose looks take long.</summary>
    /// <param name="start">Where the batch that is computed ends.</param>
    /// <param name="mostRows">As that of <see cref="FindEndAsync"/>.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>The end; <paramref name="start"/> itself if it is not settled: then <see cref="FindEndAsync"/> is asked when the batch is done.</returns>
    ValueTask<string?> FindSettledEndAsync(string? start, long mostRows, CancellationToken cancellationToken) => new(start);

    /// <summary>The rows of a range, as a table of the source's columns.</summary>
    /// <param name="start">Where it begins: null, or an end that was given before.</param>
    /// <param name="end">Where it ends: an end that was given, perhaps before the program was started anew.</param>
    ITable Read(string? start, string end);

    /// <summary>Told, after a batch, that it is done: nothing before its end is asked for any more, and what was kept for that may go.</summary>
    /// <remarks>Told again when the query starts anew, as the process may have ended before.</remarks>
    /// <param name="end">Where the batch ended.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    ValueTask CommitAsync(string end, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>What keeps it from seeing what is there, in words, with its address and since when; null if nothing does. Stands in the query's status. Asked by any thread, at any time.</summary>
    string? Problem => null;

    /// <summary>Whether more is known to come, so that a query that ends when nothing is new (<see cref="Trigger.AvailableNow"/>) looks again. As of the last look.</summary>
    bool WaitsForMore => false;
}
