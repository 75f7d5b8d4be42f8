using Dataflow.Sql.Physical;

namespace Dataflow.MLlib;

/// <summary>Says how good predictions are, as one number. Immutable like all stages: <c>with</c> makes one of another metric.</summary>
public abstract record ModelEvaluator : PipelineStage
{
    /// <summary>Whether a larger number is better: what searches over parameters go by.</summary>
    public abstract bool IsLargerBetter { get; }

    /// <summary>Computes the metric.</summary>
    /// <remarks>Action: runs jobs; rows stay where they are.</remarks>
    /// <param name="frame">Rows with labels and predictions.</param>
    /// <exception cref="QueryException">A column is missing or does not fit, there are no rows, or the metric is not defined for them.</exception>
    public double Evaluate(DataFrame frame) => EvaluateAsync(frame).GetAwaiter().GetResult();

    /// <inheritdoc cref="Evaluate"/>
    /// <param name="cancellationToken">Ends the work.</param>
    public Task<double> EvaluateAsync(DataFrame frame, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return QueryRunErrors.Unwrap(ScoreAsync(frame, cancellationToken));
    }

    /// <summary>What <see cref="EvaluateAsync"/> does. An error of the data that a job met may come as the job's.</summary>
    /// <param name="frame">Rows with labels and predictions.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    protected abstract Task<double> ScoreAsync(DataFrame frame, CancellationToken cancellationToken);
}
