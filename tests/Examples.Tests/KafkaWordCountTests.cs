using System.Globalization;
using System.Text.RegularExpressions;
using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

public sealed class KafkaWordCountTests
{
    [FactRequiringNative("librdkafka.so.1", "librdkafka1")]
    public void It_starts_brokers_counts_what_is_said_and_ends_by_itself()
    {
        var lines = ExampleProgram.Run("KafkaWordCount", "--batches", "6", "--every", "100");
        Assert.Equal(6, lines.Count(line => line.StartsWith("batch ", StringComparison.Ordinal)));
        var sentences = lines.Select(line => Regex.Match(line, @"^batch \d+: ([\d,]+) sentences")).Where(match => match.Success)
            .Sum(match => int.Parse(match.Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture));
        Assert.True(sentences > 0);

        // The word that each sentence has once; the batch that was under way at the end may have come as well.
        var ands = lines.Select(line => Regex.Match(line, @"^\s*([\d,]+)\s+and$")).Single(match => match.Success);
        Assert.InRange(int.Parse(ands.Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture), sentences, int.MaxValue);
    }

    [FactRequiringNative("librdkafka.so.1", "librdkafka1")]
    public void Options_that_it_does_not_have_are_refused()
    {
        var run = ExampleProgram.TryRun("KafkaWordCount", "--server", "127.0.0.1:1");
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("There is no option --server", run.Output + run.Errors, StringComparison.Ordinal);
    }
}
