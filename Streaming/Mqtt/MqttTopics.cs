using System.Text;

namespace Dataflow.Streaming.Mqtt;

/// <summary>The rules of topics.</summary>
internal static class MqttTopics
{
    private const string Shared = "$share/";

    /// <summary>Checks what is subscribed to: levels between slashes, <c>+</c> for one level, <c>#</c> for all that follow, <c>$share/GROUP/</c> before it to share the messages out among a group.</summary>
    /// <exception cref="ArgumentException">It is none; says why.</exception>
    public static void CheckFilter(string filter, string parameter)
    {
        CheckText(filter, parameter);
        var rest = filter;
        if (filter.StartsWith(Shared, StringComparison.Ordinal))
        {
            var slash = filter.IndexOf('/', Shared.Length);
            if (slash <= Shared.Length || slash == filter.Length - 1 || filter.AsSpan(Shared.Length, slash - Shared.Length).ContainsAny('+', '#'))
                throw new ArgumentException($"'{filter}' is no shared subscription: $share/GROUP/FILTER, and no wildcards in the group.", parameter);
            rest = filter[(slash + 1)..];
        }
        var levels = rest.Split('/');
        for (var i = 0; i < levels.Length; i++)
        {
            if (levels[i] == "#" && i < levels.Length - 1) throw new ArgumentException($"In '{filter}' something follows the #, which stands for all that follows.", parameter);
            if (levels[i].Length > 1 && levels[i].AsSpan().ContainsAny('+', '#'))
                throw new ArgumentException($"In '{filter}' a wildcard is part of the level '{levels[i]}': it stands for whole levels.", parameter);
        }
    }

    /// <summary>Checks what is published to.</summary>
    /// <exception cref="ArgumentException">It is no topic; says why.</exception>
    public static void CheckTopic(string topic, string parameter)
    {
        CheckText(topic, parameter);
        if (topic.AsSpan().ContainsAny('+', '#')) throw new ArgumentException($"'{topic}' has a wildcard, and messages go to one topic.", parameter);
    }

    private static void CheckText(string text, string parameter)
    {
        if (string.IsNullOrEmpty(text)) throw new ArgumentException("A topic is empty.", parameter);
        if (text.Contains('\0')) throw new ArgumentException("A topic has a zero character, which MQTT forbids.", parameter);
        if (Encoding.UTF8.GetByteCount(text) > ushort.MaxValue) throw new ArgumentException($"The topic '{text[..40]}...' has more than 65,535 bytes.", parameter);
    }
}
