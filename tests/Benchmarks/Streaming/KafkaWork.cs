using System.Diagnostics;
using System.Globalization;
using System.Text;
using Dataflow.Sql;
using Dataflow.Streaming;
using static Dataflow.Sql.Functions;

namespace Dataflow.Benchmarks.Streaming;

/// <summary>Words of a topic, counted into another: brokers in a process of their own, 64 partitions, each filled with less than 4 MB before. What comes out is compared with what was put in.</summary>
internal static class KafkaWork
{
    public const string BrokersVerb = "kafka-brokers";
    private const int Partitions = 64;
    private const int MessagesOfPartition = 60_000;
    private const int Messages = Partitions * MessagesOfPartition;
    private const int Vocabulary = 10_000;
    private const int WordsOfMessage = 5;

    public static async Task RunAsync(DataflowContext context)
    {
        string[] command = Path.GetFileName(Environment.ProcessPath) is "dotnet" ? [typeof(KafkaWork).Assembly.Location, BrokersVerb] : [BrokersVerb];
        using var brokers = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, command)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            var servers = (await brokers.StandardOutput.ReadLineAsync().ConfigureAwait(false))!;
            var expected = await FillAsync(context, servers).ConfigureAwait(false);
            var seconds = new List<double>();
            for (var run = 0; run < 3; run++) seconds.Add(await CountAsync(context, servers, $"counts-{run}", expected).ConfigureAwait(false));
            var all = string.Join(", ", seconds.Select(each => each.ToString("f2", CultureInfo.InvariantCulture)));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{"Kafka to Kafka word count, 64 partitions",-40} {Messages / seconds.Min() / 1e6,8:f2} million messages/s of {WordsOfMessage} words ({Messages:N0} in {all} s); output complete"));
        }
        finally
        {
            if (!brokers.HasExited) brokers.Kill();
        }
    }

    /// <summary>The brokers' process: there as long as somebody holds its input.</summary>
    public static int RunBrokers()
    {
        using var cluster = new KafkaTestCluster();
        cluster.CreateTopic("lines", Partitions);
        for (var run = 0; run < 3; run++) cluster.CreateTopic($"counts-{run}", 4);
        Console.WriteLine(cluster.Servers);
        while (Console.ReadLine() is not null) { }
        return 0;
    }

    private static async Task<Dictionary<string, long>> FillAsync(DataflowContext context, string servers)
    {
        var random = new Random(7);
        var words = Enumerable.Range(0, Vocabulary).Select(i => $"w{i:x}{new string('o', i % 7)}").ToArray();
        var counts = new long[Vocabulary];
        var sink = new KafkaSink(servers, "lines");
        var text = new StringBuilder();
        for (var partition = 0; partition < Partitions; partition++)
        {
            var lines = new Line[MessagesOfPartition];
            var bytes = 0;
            for (var i = 0; i < lines.Length; i++)
            {
                text.Clear();
                for (var w = 0; w < WordsOfMessage; w++)
                {
                    // Some words come often, as in a language.
                    var word = (int)(Vocabulary * Math.Pow(random.NextDouble(), 3));
                    counts[word]++;
                    text.Append(w == 0 ? "" : " ").Append(words[word]);
                }
                bytes += text.Length + 8;
                lines[i] = new Line(partition, text.ToString());
            }
            if (bytes > 4 << 20) throw new InvalidOperationException($"A partition would have {bytes} bytes, and brokers keep about 5 MB.");
            var rows = context.FromRecords(lines).Select(Col("Partition").As("partition"), Col("Text").As("value"));
            await sink.WriteAsync(new StreamBatch(partition, rows, OutputMode.Append), CancellationToken.None).ConfigureAwait(false);
        }
        return Enumerable.Range(0, Vocabulary).Where(i => counts[i] > 0).ToDictionary(i => words[i], i => counts[i]);
    }

    private static async Task<double> CountAsync(DataflowContext context, string servers, string to, Dictionary<string, long> expected)
    {
        var clock = Stopwatch.StartNew();
        var counts = context.ReadStream.Kafka(new KafkaSourceOptions { Servers = servers, Topics = ["lines"], MaxOffsetsPerTrigger = Messages / 4 })
            .Select(Col("value").Cast("string").As("line")).SplitRows("line", " ", "word").GroupBy("word").Count();
        await using (var query = counts.Select(Col("word").As("key"), Col("count").Cast("string").As("value"))
            .WriteStream.Kafka(servers, to, new StreamingQueryOptions { Trigger = Trigger.AvailableNow, OutputMode = OutputMode.Update }))
        {
            await query.AwaitTerminationAsync().ConfigureAwait(false);
            if (Environment.GetEnvironmentVariable("DATAFLOW_BATCHES") is not null)
            {
                foreach (var batch in query.RecentProgress) Console.WriteLine($"  {batch.InputRows} planned {batch.PlanningDuration} ran {batch.RunningDuration} committed {batch.CommitDuration}");
            }
        }
        var seconds = clock.Elapsed.TotalSeconds;

        // The last count of each word; its counts are in one partition, in order.
        var rows = context.Read.Kafka(new KafkaSourceOptions { Servers = servers, Topics = [to] }).Select(Col("partition"), Col("offset"), Col("key").Cast("string").As("key"), Col("value").Cast("string").Cast("bigint").As("n")).Collect();
        var last = rows.GroupBy(row => row.Get<string>("key")).ToDictionary(group => group.Key, group => group.MaxBy(row => row.Get<long>("offset"))!.Get<long>("n"));
        if (last.Count != expected.Count || expected.Any(each => last.GetValueOrDefault(each.Key) != each.Value))
            throw new InvalidOperationException($"The counts are not those of the words: {last.Count} words of {expected.Count}, {last.Values.Sum()} of {expected.Values.Sum()}.");
        return seconds;
    }

    private sealed record Line(int Partition, string Text);
}
