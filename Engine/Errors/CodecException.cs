namespace Dataflow;

/// <summary>Data of this type, or this one value of it, can't be turned into bytes.</summary>
/// <remarks>
/// The message names the member by its path (<c>Order.Lines[].Connection</c>), says why, and what to do next. Types are refused when their
/// codec is built; only what a value alone decides (a comparer, a subtype, a cycle) is refused when that value is written.
/// </remarks>
public sealed class CodecException : InvalidOperationException
{
    /// <summary>Makes the exception with its whole message.</summary>
    /// <param name="message">Which member can't be encoded, why, and what to do next.</param>
    /// <param name="inner">The error that revealed it, if any.</param>
    public CodecException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
