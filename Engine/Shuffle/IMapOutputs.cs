using Dataflow.Scheduling;

namespace Dataflow.Shuffle;

/// <summary>Tells tasks who serves which map output.</summary>
internal interface IMapOutputs
{
    /// <summary>The outputs of a shuffle by map partition; null where none is registered.</summary>
    MapStatus?[] Get(ShuffleId shuffle);
}
