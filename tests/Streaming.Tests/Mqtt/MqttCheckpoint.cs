using Dataflow.Streaming.Execution;
using Dataflow.Streaming.Mqtt;

namespace Dataflow.Streaming.Tests.Mqtt;

/// <summary>What queries keep of their sessions at brokers.</summary>
internal static class MqttCheckpoint
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Waits until the query is subscribed, and knows: what is published from then on comes, also if it is away.</summary>
    /// <param name="checkpoint">Its folder.</param>
    /// <param name="topics">To what; to anything if none is given.</param>
    public static async Task WaitForSubscriptionAsync(string checkpoint, params string[] topics)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (Topics(checkpoint) is not { Length: > 0 } there || (topics.Length > 0 && !there.SequenceEqual(topics)))
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static string[] Topics(string checkpoint)
    {
        var log = new DurableLog(Path.Combine(checkpoint, "sources", "0", "session"));
        try
        {
            return log.Numbers() is { Length: > 0 } numbers && log.Read<MqttSession>(numbers[^1]) is { Asked: null } session ? session.Topics : [];
        }
        catch (StreamingException)
        {
            // It was replaced meanwhile.
            return [];
        }
    }
}
