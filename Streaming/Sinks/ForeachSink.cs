using Dataflow.Sql.Physical;

namespace Dataflow.Streaming;

/// <summary>Takes the rows of one partition of a batch, in the task that has them: one object a partition and attempt.</summary>
/// <remarks>At least once: a partition comes again, with the same numbers and the same rows, when its task is retried or its batch runs again; attempts may even run at once. Who must write each row once
/// keeps both numbers with what was written, in one transaction, and says no in <see cref="Open"/>.</remarks>
public interface IRowWriter
{
    /// <summary>Told first.</summary>
    /// <param name="partition">The partition's number, from 0. The same rows have the same one when the batch runs again with as many threads.</param>
    /// <param name="batch">The batch's number, from 0.</param>
    /// <returns>False to pass over the partition.</returns>
    bool Open(int partition, long batch) => true;

    /// <summary>Takes a row.</summary>
    /// <param name="row">The row; may be kept.</param>
    void Process(Row row);

    /// <summary>Told last, once, if <see cref="Open"/> was called: what is still held goes out here, and an error thrown here fails the task.</summary>
    /// <param name="error">What failed before; null if nothing did.</param>
    void Close(Exception? error) { }
}

/// <summary>Gives rows to objects of the program, in the tasks that have them.</summary>
internal sealed class ForeachSink(Func<IRowWriter> make) : IStreamSink
{
    public string Name => "Foreach";

    public bool ReadsOnce => true;

    public Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken)
    {
        var (of, id, schema) = (make, batch.Id, batch.Rows.Schema);
        return QueryRunErrors.Unwrap(batch.Rows.MapBatches((partition, batches) => Write(of, partition, id, schema, batches)).CountAsync(cancellationToken));
    }

    private static int[] Write(Func<IRowWriter> make, int partition, long batch, Schema schema, IEnumerable<ColumnBatch> batches)
    {
        var writer = make() ?? throw new InvalidOperationException("The function that Foreach was given made no writer.");
        try
        {
            if (writer.Open(partition, batch))
            {
                foreach (var rows in batches)
                {
                    foreach (var row in Row.Of(rows, schema, null)) writer.Process(row);
                }
            }
        }
        catch (Exception error)
        {
            writer.Close(error);
            throw;
        }
        writer.Close(null);
        return [];
    }
}
