using Dataflow.Scheduling;
using Dataflow.Shuffle;

namespace Dataflow.Tasks;

/// <summary>How a task attempt ended. Kinds are types, so that a retry rule never matches on text.</summary>
public abstract record TaskOutcome;

/// <summary>It ended well.</summary>
/// <param name="Value">The result of a result task, or the <see cref="MapStatus"/> of a map task.</param>
public sealed record TaskSucceeded(object? Value) : TaskOutcome
{
    internal static TaskSucceeded Nothing { get; } = new((object?)null);
}

/// <summary>User code or the engine threw. The task is tried again, up to a limit.</summary>
/// <param name="Exception">What was thrown.</param>
public sealed record TaskThrew(Exception Exception) : TaskOutcome
{
    /// <summary>What the task had taken from a file last, for people; null if that says nothing.</summary>
    internal string? LastRead { get; init; }
}

/// <summary>A map output that it reads could not be had. Not the task's fault: the map stage is asked again.</summary>
/// <param name="Shuffle">The shuffle.</param>
/// <param name="Map">Index of the map output.</param>
/// <param name="Location">The output that was asked for; null if nobody was known to serve one.</param>
/// <param name="Failure">What was wrong.</param>
/// <param name="Message">For people.</param>
public sealed record FetchFailed(ShuffleId Shuffle, int Map, MapLocation? Location, FetchFailure Failure, string Message) : TaskOutcome;

/// <summary>The attempt was ended on request: its job was cancelled, or another copy won.</summary>
/// <param name="Reason">For people.</param>
public sealed record TaskKilled(string Reason) : TaskOutcome;

/// <summary>The executor went away with the task. Not the task's fault, but limited, so that a task that kills executors ends.</summary>
/// <param name="Reason">For people.</param>
public sealed record TaskLost(string Reason) : TaskOutcome;

/// <summary>The driver did not let the attempt commit, because another attempt has.</summary>
public sealed record CommitDenied : TaskOutcome;

/// <summary>Why a map output could not be read.</summary>
public enum FetchFailure
{
    /// <summary>No server holds it: it was lost, or never written.</summary>
    Missing,

    /// <summary>Its bytes do not match their checksum.</summary>
    Corrupt,

    /// <summary>Its server does not answer.</summary>
    Unreachable,
}
