namespace Dataflow;

/// <summary>Stored or sent bytes are not what was written: cut short, changed, or of another kind.</summary>
/// <remarks>The message says what was expected and what was found. A task that meets it reads another copy or recomputes the data.</remarks>
public sealed class CorruptDataException : Exception
{
    /// <summary>Makes the exception with its whole message.</summary>
    /// <param name="message">What was expected, what was found, and where.</param>
    /// <param name="inner">The error that revealed it, if any.</param>
    public CorruptDataException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
