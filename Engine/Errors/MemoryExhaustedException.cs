namespace Dataflow;

/// <summary>The memory budget of the process could not give what was needed within the time to wait for it.</summary>
/// <remarks>The message names who holds how much; raise <see cref="DataflowOptions.MemoryBytes"/>, run fewer tasks at once, or cut the
/// data into more partitions.</remarks>
public sealed class MemoryExhaustedException : DataflowException
{
    /// <summary>Makes the exception with its whole message.</summary>
    /// <param name="message">What was asked for, who holds how much, and what to do next.</param>
    /// <param name="requestedBytes">Bytes asked for.</param>
    /// <param name="inner">The error that caused it, if any.</param>
    public MemoryExhaustedException(string message, long requestedBytes, Exception? inner = null)
        : base(message, inner) => RequestedBytes = requestedBytes;

    /// <summary>Bytes asked for.</summary>
    public long RequestedBytes { get; }
}
