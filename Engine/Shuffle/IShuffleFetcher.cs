using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>Brings map outputs of other servers to this executor.</summary>
internal interface IShuffleFetcher
{
    /// <summary>Fetches some reduce partitions of map outputs. They are held like runs of the task: spilled when memory is short, dropped when it ends.</summary>
    /// <param name="shuffle">The shuffle.</param>
    /// <param name="wanted">The outputs, and where each is.</param>
    /// <param name="reduceStart">First reduce partition, inclusive.</param>
    /// <param name="reduceEnd">Last reduce partition, exclusive.</param>
    /// <param name="context">The running task.</param>
    /// <returns>One for each that is wanted, in that order.</returns>
    /// <exception cref="FetchFailedException">One can't be had.</exception>
    MapOutput[] Fetch(ShuffleId shuffle, IReadOnlyList<(int Map, MapLocation Location)> wanted, int reduceStart, int reduceEnd, TaskContext context);
}
