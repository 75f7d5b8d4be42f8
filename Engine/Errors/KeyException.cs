namespace Dataflow;

/// <summary>Values of this type can't be keys: no process could tell from the contents alone which of them are equal.</summary>
/// <remarks>
/// Thrown when the plan is built, by the verb that needs the key. The message names the member by its path (<c>Order.Lines</c>), says why,
/// and what to use instead. Only a subtype that first shows itself in the data is refused when it is met.
/// </remarks>
public sealed class KeyException : InvalidOperationException
{
    /// <summary>Makes the exception with its whole message.</summary>
    /// <param name="message">Which member can't be part of a key, why, and what to do next.</param>
    public KeyException(string message)
        : base(message)
    {
    }
}
