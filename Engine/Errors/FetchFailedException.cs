using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>A map output could not be read. The scheduler has it written again; users meet it only if that fails too often.</summary>
public sealed class FetchFailedException : Exception
{
    internal FetchFailedException(ShuffleId shuffle, int map, MapLocation? location, FetchFailure failure, string message, Exception? inner = null)
        : base($"Map output {map} of shuffle {shuffle} could not be read: {message.TrimEnd('.')}.", inner)
    {
        Shuffle = shuffle;
        Map = map;
        Location = location;
        Failure = failure;
    }

    /// <summary>What a task reported, as an exception again.</summary>
    internal FetchFailedException(FetchFailed reported) : base(reported.Message) =>
        (Shuffle, Map, Location, Failure) = (reported.Shuffle, reported.Map, reported.Location, reported.Failure);

    /// <summary>The shuffle.</summary>
    public ShuffleId Shuffle { get; }

    /// <summary>Index of the map output.</summary>
    public int Map { get; }

    /// <summary>The output that was asked for; null if nobody was known to serve one.</summary>
    public MapLocation? Location { get; }

    /// <summary>What was wrong.</summary>
    public FetchFailure Failure { get; }

    internal FetchFailed ToOutcome() => new(Shuffle, Map, Location, Failure, Message);
}
