using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>A map output could not be read. The scheduler has it written again; users meet it only if that fails too often.</summary>
public sealed class FetchFailedException : Exception
{
    internal FetchFailedException(ShuffleId shuffle, int map, WorkerId? server, FetchFailure failure, string message, Exception? inner = null)
        : base($"Map output {map} of shuffle {shuffle} could not be read: {message.TrimEnd('.')}.", inner)
    {
        Shuffle = shuffle;
        Map = map;
        Server = server;
        Failure = failure;
    }

    /// <summary>What a task reported, as an exception again.</summary>
    internal FetchFailedException(FetchFailed reported) : base(reported.Message) =>
        (Shuffle, Map, Server, Failure) = (reported.Shuffle, reported.Map, reported.Server, reported.Failure);

    /// <summary>The shuffle.</summary>
    public ShuffleId Shuffle { get; }

    /// <summary>Index of the map output.</summary>
    public int Map { get; }

    /// <summary>Who served it; null if no server was known.</summary>
    public WorkerId? Server { get; }

    /// <summary>What was wrong.</summary>
    public FetchFailure Failure { get; }

    internal FetchFailed ToOutcome() => new(Shuffle, Map, Server, Failure, Message);
}
