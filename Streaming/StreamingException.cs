using Dataflow.Errors;

namespace Dataflow.Streaming;

/// <summary>A query over streams could not start or go on, for a reason that is not in its rows: its checkpoint, its source or its sink.</summary>
public sealed class StreamingException : DataflowException, ITravellingError
{
    private readonly string _problem;

    /// <summary>Makes it.</summary>
    /// <param name="kind">The kind of error, in capitals: <c>CHECKPOINT_IN_USE</c>.</param>
    /// <param name="message">What happened, where, and what to do.</param>
    /// <param name="inner">What caused it.</param>
    public StreamingException(string kind, string message, Exception? inner = null) : base($"[{kind}] {message}", inner) => (Kind, _problem) = (kind, message);

    static StreamingException() => TravellingErrors.Register(parts => parts is [{ } kind, { } problem] ? new StreamingException(kind, problem) : null);

    /// <summary>The kind of error, in capitals.</summary>
    public string Kind { get; }

    IReadOnlyList<string?> ITravellingError.Parts => [Kind, _problem];

    /// <summary>Has the errors of executors known in this process. Called before queries run.</summary>
    internal static void Register() { }
}
