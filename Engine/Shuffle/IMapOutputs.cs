using Dataflow.Scheduling;

namespace Dataflow.Shuffle;

/// <summary>Tells tasks where map outputs are.</summary>
internal interface IMapOutputs
{
    /// <summary>How many map outputs a shuffle has; null if it is not known, because it was never begun or is removed.</summary>
    int? MapCount(ShuffleId shuffle);

    /// <summary>Where a map output is; null if nobody serves it.</summary>
    MapLocation? LocationOf(ShuffleId shuffle, int map);
}
