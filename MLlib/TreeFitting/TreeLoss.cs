namespace Dataflow.MLlib;

/// <summary>A loss of the program's own for boosted trees: gradient and hessian of each row's loss by its score. Weights are applied afterwards.</summary>
/// <remarks>Called on several threads at once, for a few hundred rows at a time; must depend on nothing but its arguments. Hessians are not negative; constant ones are
/// fine. It travels to executors as other lambdas do.</remarks>
/// <param name="scores">The rows' scores so far.</param>
/// <param name="labels">Their labels.</param>
/// <param name="gradients">First derivatives of the loss; written.</param>
/// <param name="hessians">Second derivatives; written.</param>
public delegate void TreeLoss(ReadOnlySpan<double> scores, ReadOnlySpan<float> labels, Span<double> gradients, Span<double> hessians);
