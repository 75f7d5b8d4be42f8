// Counts the words of one topic of Kafka into another, while they come. Without brokers of yours it starts some, and somebody who talks.
using Dataflow;
using Dataflow.Examples;
using Dataflow.Sql;
using Dataflow.Streaming;
using static Dataflow.Sql.Functions;

var arguments = new Arguments(args, """
    Usage: KafkaWordCount [--servers HOST:PORT,...] [--from TOPIC] [--to TOPIC] [--checkpoint DIR] [--batches N] [--every MS]

      --servers      brokers; without them, some run within this program, for as long as it does, and sentences are made up
      --from         the topic whose messages are text (sentences)
      --to           the topic that gets words as keys and their counts as values (counts)
      --checkpoint   with brokers of yours: a folder that remembers how far the query is (beside the program)
      --batches      ends after so many batches; without it, goes on until Ctrl+C
      --every        milliseconds between two batches (500)
    """);
var (from, to) = (arguments.Text("--from") ?? "sentences", arguments.Text("--to") ?? "counts");
var every = TimeSpan.FromMilliseconds(arguments.Number("--every", 500));
var batches = arguments.Number("--batches", int.MaxValue);

await using var context = DataflowContext.Local();
try
{
    using var brokers = arguments.Text("--servers") is null ? new KafkaTestCluster() : null;
    var servers = arguments.Text("--servers") ?? brokers!.Servers;
    brokers?.CreateTopic(from, 4);
    brokers?.CreateTopic(to, 2);
    await using var talk = brokers is null ? null : Sentences.Talk(context, servers, from);

    var counts = context.ReadStream.Kafka(servers, from)
        .Select(Lower(Col("value").Cast("string")).As("sentence"))
        .SplitRows("sentence", " ,.", "word")
        .GroupBy("word").Count();

    // Each batch writes the words that it has changed, with their new counts.
    await using var query = counts.Select(Col("word").As("key"), Col("count").Cast("string").As("value")).WriteStream.Kafka(servers, to, new()
    {
        Checkpoint = brokers is null ? arguments.Text("--checkpoint") ?? Path.Combine(AppContext.BaseDirectory, "counts") : null,
        Trigger = Trigger.Every(every),
        OutputMode = OutputMode.Update,
    });

    var seen = 0;
    await foreach (var batch in query.ProgressAsync())
    {
        Console.WriteLine($"batch {batch.BatchId}: {batch.InputRows:N0} sentences, {batch.StateRows:N0} words");
        if (++seen == batches) break;
    }
    await query.StopAsync();

    // What others read there: of each word the last message counts.
    var written = context.Read.Kafka(new KafkaSourceOptions { Servers = servers, Topics = [to] })
        .Select(Col("key").Cast("string").As("word"), Col("value").Cast("string").Cast("bigint").As("count"));
    foreach (var row in written.GroupBy("word").Agg(Max(Col("count")).As("count")).OrderBy(Col("count").Desc(), Col("word")).Take(5))
        Console.WriteLine($"{row.Get<long>("count"),8:N0}  {row.Get<string>("word")}");
    return 0;
}
catch (StreamingException error) when (error.Kind is "KAFKA_LIBRARY_MISSING" or "KAFKA_UNREACHABLE")
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
