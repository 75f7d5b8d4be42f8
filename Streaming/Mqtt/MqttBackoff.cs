namespace Dataflow.Streaming.Mqtt;

/// <summary>The waits between attempts to connect: each twice the one before, shortened by chance, so that clients of a broker that was away do not all come back at once.</summary>
internal sealed class MqttBackoff(MqttOptions options)
{
    private long? _since;
    private int _failures;
    private volatile Func<string>? _problem;

    /// <summary>That the broker is away, since when, and why; null if it is not.</summary>
    public string? Problem => _problem?.Invoke();

    /// <summary>It works (again).</summary>
    public void Succeeded() => (_since, _failures, _problem) = (null, 0, null);

    /// <summary>Waits before the next attempt.</summary>
    /// <param name="why">What the last one failed with.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="StreamingException">There were attempts for longer than <see cref="MqttOptions.Patience"/>.</exception>
    public async Task WaitAsync(MqttConnectionException why, CancellationToken cancellation)
    {
        _since ??= options.Time.GetTimestamp();
        var (since, away) = (_since.Value, options.Time.GetElapsedTime(_since.Value));
        _problem = () => $"{options} has been away for {options.Time.GetElapsedTime(since).TotalSeconds:0} s ({why.Message}); it is tried again until {options.Patience.TotalSeconds:0.#} s are over";
        if (away > options.Patience)
            throw new StreamingException(
                "MQTT_UNREACHABLE",
                $"{options} could not be reached for {away.TotalSeconds:0} s. Last: {why.Message} "
                + "Start the query again when the broker is there; MqttOptions.Patience says how long it waits.",
                why);
        await Task.Delay(Next(), options.Time, cancellation).ConfigureAwait(false);
    }

    /// <summary>How long the next wait is.</summary>
    internal TimeSpan Next()
    {
        var whole = options.ReconnectDelay * Math.Pow(2, Math.Min(_failures++, 30));
        if (whole > options.LongestReconnectDelay) whole = options.LongestReconnectDelay;
        return whole * (1 - (options.Chance.NextDouble() / 2));
    }
}
