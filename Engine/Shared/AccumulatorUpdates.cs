namespace Dataflow.Shared;

/// <summary>What the accumulators gathered in one task attempt.</summary>
internal sealed class AccumulatorUpdates
{
}
