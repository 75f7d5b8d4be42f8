namespace Dataflow;

/// <summary>What a partition gives when it is computed again after a loss.</summary>
/// <remarks>
/// A stage whose lost output would differ when recomputed cannot be patched: its children may have read the old one. The scheduler
/// reruns an <see cref="Indeterminate"/> stage, and what was read from it, whole.
/// </remarks>
public enum Determinacy
{
    /// <summary>The same elements in the same order.</summary>
    Determinate,

    /// <summary>The same elements, in an order that may differ.</summary>
    Unordered,

    /// <summary>Perhaps other elements: a random choice without a seed, or one that depends on the order of an unordered parent.</summary>
    Indeterminate,
}
