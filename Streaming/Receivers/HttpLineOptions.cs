namespace Dataflow.Streaming;

/// <summary>How lines are asked for that a server sends as one long answer.</summary>
public sealed record HttpLineOptions
{
    /// <summary>Sent as <c>Authorization: Bearer</c>; null for none. Errors and plans don't show it.</summary>
    public string? Token { get; init; }

    /// <summary>Further headers of the request.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>How long nothing may come, not even a blank line (with which servers say that they are there), before the connection counts as dead.</summary>
    public TimeSpan StallTimeout { get; init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(StallTimeout), value, "More than zero."); } = TimeSpan.FromSeconds(90);

    /// <summary>What happens when the connection fails or ends; null to end with it, as for an answer that has an end.</summary>
    public ReconnectOptions? Reconnect { get; init; } = new();

    /// <summary>Whether a column <c>timestamp</c> says when a line came. Of lines as text only.</summary>
    public bool IncludeTimestamp { get; init; }

    /// <summary>How lines are kept until batches have read them.</summary>
    public ReceiverOptions Receiver { get; init; } = new();

    internal TimeProvider Time { get; init; } = TimeProvider.System;
}
