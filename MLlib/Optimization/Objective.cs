namespace Dataflow.MLlib.Optimization;

/// <summary>A function to be minimised: its value at a point, and its gradient there.</summary>
/// <param name="point">Where.</param>
/// <param name="gradient">Filled with the gradient; as long as the point.</param>
/// <param name="cancellationToken">Ends the work.</param>
public delegate Task<double> Objective(double[] point, double[] gradient, CancellationToken cancellationToken);

/// <summary>Why an optimiser ended.</summary>
public enum StopReason
{
    /// <summary>The value hardly fell any more, or the gradient is 0.</summary>
    Converged,

    /// <summary>All iterations that were allowed were made.</summary>
    Iterations,

    /// <summary>No step along the gradient lowers the value: as good as it gets in 64 bits, or the function is not smooth there.</summary>
    NoProgress,
}

/// <summary>Where an optimiser ended.</summary>
/// <param name="Point">The best point.</param>
/// <param name="Value">The value there, penalties included.</param>
/// <param name="History">Values: at the start, and after each iteration.</param>
/// <param name="Reason">Why it ended.</param>
public sealed record Minimum(double[] Point, double Value, ValueList<double> History, StopReason Reason)
{
    /// <summary>How many iterations were made.</summary>
    public int Iterations => History.Count - 1;
}
