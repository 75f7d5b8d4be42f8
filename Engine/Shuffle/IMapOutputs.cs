using Dataflow.Scheduling;

namespace Dataflow.Shuffle;

/// <summary>Tells tasks who serves which map output.</summary>
internal interface IMapOutputs
{
    /// <summary>How many map outputs a shuffle has; 0 if it is not known.</summary>
    int MapCount(ShuffleId shuffle);

    /// <summary>Who serves a map output; null if nobody does.</summary>
    WorkerId? ServerOf(ShuffleId shuffle, int map);
}
