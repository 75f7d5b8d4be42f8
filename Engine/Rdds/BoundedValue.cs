namespace Dataflow;

/// <summary>An estimate with the bounds between which the true value lies, with a stated confidence.</summary>
/// <param name="Estimate">The best guess.</param>
/// <param name="Confidence">Probability that the bounds hold; 1 for an exact result.</param>
/// <param name="Low">Lower bound.</param>
/// <param name="High">Upper bound.</param>
public readonly record struct BoundedValue(double Estimate, double Confidence, double Low, double High)
{
    /// <summary>Whether all partitions were read, so that the value is exact.</summary>
    public bool IsExact => Confidence == 1 && Low == High;

    /// <inheritdoc/>
    public override string ToString() => IsExact ? $"{Estimate}" : $"{Estimate} [{Low}, {High}] at {Confidence:P0}";
}
