namespace Dataflow.Streaming;

/// <summary>A query over streams could not start or go on, for a reason that is not in its rows: its checkpoint, its source or its sink.</summary>
public sealed class StreamingException : Exception
{
    /// <summary>Makes it.</summary>
    /// <param name="kind">The kind of error, in capitals: <c>CHECKPOINT_IN_USE</c>.</param>
    /// <param name="message">What happened, where, and what to do.</param>
    /// <param name="inner">What caused it.</param>
    public StreamingException(string kind, string message, Exception? inner = null) : base($"[{kind}] {message}", inner) => Kind = kind;

    /// <summary>The kind of error, in capitals.</summary>
    public string Kind { get; }
}
