namespace Dataflow.Streaming;

/// <summary>What a source does when its connection fails or ends: it waits, twice as long after each failure in a row, less a random part, and tries again.</summary>
public sealed record ReconnectOptions
{
    /// <summary>Longest wait after the first failure.</summary>
    public TimeSpan FirstDelay { get; init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(FirstDelay), value, "More than zero."); } = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest wait of all.</summary>
    public TimeSpan MaxDelay { get; init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(MaxDelay), value, "More than zero."); } = TimeSpan.FromSeconds(30);

    /// <summary>After how long without a row the query ends with the last failure as its error.</summary>
    public TimeSpan GiveUpAfter { get; init => field = value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(GiveUpAfter), value, "Zero (at the first failure) or more."); } = TimeSpan.FromMinutes(10);
}
