namespace Dataflow.MLlib.Optimization;

/// <summary>
/// What a linear model loses on rows, given its margins (products of rows and coefficients, plus intercepts), and how that changes with them. Travels to executors;
/// one object is used by all tasks at once.
/// </summary>
internal abstract unsafe class RowLoss
{
    /// <summary>Margins of a row: 1, or one a class.</summary>
    public virtual int Margins => 1;

    /// <summary>Losses of some rows.</summary>
    /// <param name="margins"><see cref="Margins"/> x <paramref name="stride"/>; replaced by weight times derivative of the loss by each margin.</param>
    /// <param name="stride">From margin to margin; a multiple of 8, and at least <paramref name="count"/>.</param>
    /// <param name="labels">By row.</param>
    /// <param name="weights">By row; 0 for rows beyond <paramref name="count"/> up to a multiple of 8.</param>
    /// <param name="count">Rows.</param>
    /// <param name="extra">Weighted derivatives by other parameters of the loss are added here.</param>
    /// <returns>The weighted sum of losses.</returns>
    public abstract double Evaluate(double* margins, int stride, double* labels, double* weights, int count, ref double extra);
}
