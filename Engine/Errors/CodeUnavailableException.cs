namespace Dataflow;

/// <summary>An executor does not have the code that a task needs, or has it in another build than the driver.</summary>
public sealed class CodeUnavailableException : DataflowException
{
    /// <summary>Makes the exception with its whole message.</summary>
    /// <param name="message">Which assembly, type or method, and what to do next.</param>
    /// <param name="inner">The error that caused it, if any.</param>
    public CodeUnavailableException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
