using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Exchange;

/// <summary>Reads a source, and ends the task between two batches if it was cancelled: whatever stands above a source, and reads it to its end before it
/// gives a row, is ended so.</summary>
internal sealed class CancellableReader(BatchReader input, CancellationToken cancellation) : BatchReader
{
    public override bool TryNext(out ColumnBatch batch)
    {
        cancellation.ThrowIfCancellationRequested();
        return input.TryNext(out batch);
    }

    public override bool TryTake(FilterEvaluator filter) => input.TryTake(filter);

    public override void Dispose()
    {
        input.Dispose();
        base.Dispose();
    }
}
