using System.Runtime.CompilerServices;
using Dataflow;
using Dataflow.Sql;
using Dataflow.Streaming;
using static Dataflow.Sql.Functions;

/// <summary>Somebody who talks without end, into a topic. The words are the same every time.</summary>
internal static class Sentences
{
    private static readonly string[] Who = ["The cat", "A dog", "The old sailor", "Nobody", "Her sister"];
    private static readonly string[] Does = ["sees", "hears", "forgets", "likes", "follows"];
    private static readonly string[] What = ["the river", "a song", "the moon", "the cat", "every word"];

    /// <summary>A query that writes what comes, until it is disposed.</summary>
    public static StreamingQuery Talk(DataflowContext context, string servers, string topic) =>
        context.ReadStream.From(SpeakAsync()).Select(Col("Text").As("value")).WriteStream.Kafka(servers, topic);

    private static async IAsyncEnumerable<Sentence> SpeakAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var random = new Random(5);
        while (true)
        {
            yield return new Sentence($"{Pick(Who)} {Pick(Does)} {Pick(What)}, and {Pick(What)}.");
            await Task.Delay(5, cancellation);
        }

        string Pick(string[] from) => from[random.Next(from.Length)];
    }

    private sealed record Sentence(string Text);
}
