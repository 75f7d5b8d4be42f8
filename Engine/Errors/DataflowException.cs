namespace Dataflow;

/// <summary>The engine could not do what was asked. Each kind of failure is a type of its own.</summary>
public abstract class DataflowException : Exception
{
    /// <summary>Makes the exception with its whole message.</summary>
    /// <param name="message">What happened, where, and what to do next.</param>
    /// <param name="inner">The error that caused it, if any.</param>
    protected DataflowException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
