namespace Dataflow;

/// <summary>A compression that this machine or this version does not have. The message lists those it has and what to install.</summary>
/// <param name="message">What was asked for, what there is, and what to install.</param>
public sealed class CompressionUnavailableException(string message) : NotSupportedException(message);
