namespace Dataflow;

/// <summary>Processes of a cluster could not do together what was asked: an address, a token, a version or a link is not right.</summary>
public sealed class ClusterException : DataflowException
{
    /// <summary>Makes the exception with its whole message.</summary>
    /// <param name="message">What happened, where, and what to do next.</param>
    /// <param name="inner">The error that caused it, if any.</param>
    public ClusterException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Whether somebody was there and said no, so that trying again is of no use.</summary>
    internal bool IsRefusal { get; init; }
}
