using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>Computes one expression over batches, in one task. It owns the memory of its results.</summary>
public abstract unsafe class Evaluator
{
    /// <summary>Whether all batches give the same constant.</summary>
    public virtual bool IsConstant => false;

    /// <summary>Computes the expression for a batch.</summary>
    /// <param name="batch">The rows. Rows that the mask leaves out may be computed or not, and never make it fail.</param>
    /// <returns>A vector of <see cref="ColumnBatch.Rows"/> rows, valid until the next call and no longer than the batch. It may be a column of the
    /// batch itself, a constant, or a dictionary.</returns>
    public abstract ColumnVector Evaluate(ColumnBatch batch);

    /// <summary>The same for who can take decimals of more than 18 digits in 64 bits where all values of the batch fit: sums, and other arithmetic.</summary>
    /// <param name="batch">The rows.</param>
    /// <returns>As <see cref="Evaluate"/>; or, for a decimal that lies in 128 bits, a vector of type decimal(18,s) with the same scale and the same
    /// values, each within 64 bits.</returns>
    public virtual ColumnVector EvaluateNarrow(ColumnBatch batch) => Evaluate(batch);
}

/// <summary>What evaluators need of their task.</summary>
/// <param name="Arena">Memory.</param>
/// <param name="Session">Time zone and the like.</param>
/// <param name="Text">The text of the query, for errors that show where; null if there is none.</param>
public sealed record EvaluatorContext(TaskArena Arena, SessionSettings Session, string? Text = null);

/// <summary>What a query is computed under: settings of the session as they were when it began.</summary>
public sealed record SessionSettings
{
    /// <summary>The zone that timestamps are shown and read in: an IANA name or an offset.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>What <c>current_timestamp</c> gives: microseconds since 1970-01-01 UTC, when the query began.</summary>
    public long NowMicroseconds { get; init; }
}
