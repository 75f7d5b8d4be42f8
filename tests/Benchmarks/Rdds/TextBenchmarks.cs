using System.Runtime.InteropServices;
using System.Text;
using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Rdds;

/// <summary>Word count over a file of made-up text whose words are as frequent as in natural language (Zipf).</summary>
internal static class TextBenchmarks
{
    public static IEnumerable<Benchmark> All { get; } = [new("word count 1 GB", WordCount)];

    private static IEnumerable<Measurement> WordCount(Session session)
    {
        var folder = Directory.CreateTempSubdirectory("dataflow-benchmark-");
        try
        {
            var path = Path.Combine(folder.FullName, "text.txt");
            WriteText(path, session.Size(1_000_000_000));
            using var context = Session.Context(Session.Cores);
            var text = context.TextFile(path);
            (long, long) Ours() => text
                .FlatMap(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Map(static word => (word, 1L))
                .ReduceByKey(static (a, b) => a + b)
                .Aggregate((0L, 0L), static (sum, pair) => (sum.Item1 + 1, sum.Item2 + pair.Value), static (a, b) => (a.Item1 + b.Item1, a.Item2 + b.Item2));

            var (ours, loop) = session.Duel(Ours, () => Loop(path), repetitions: 3);
            yield return new("word count 1 GB / hand-written loop on two threads", "ms", ours, loop, 1.5, 1.1);
            var (again, plinq) = session.Duel(Ours, () => Plinq(path), repetitions: 3, warmUps: 0);
            yield return new("word count 1 GB / PLINQ", "ms", again, plinq, 0.4, 0.25);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Writes lines of words as frequent as in natural language, the same for the same length.</summary>
    public static void WriteText(string path, long bytes)
    {
        var random = new Random(3);
        var words = new byte[100_000][];
        var sums = new double[words.Length];
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = new byte[Math.Clamp(2 + (int)Math.Log(i + 1.0) / 2 + random.Next(5), 1, 14)];
            for (var j = 0; j < words[i].Length; j++) words[i][j] = (byte)('a' + random.Next(26));
            sums[i] = (i == 0 ? 0 : sums[i - 1]) + 1.0 / (i + 2.7);
        }

        // A draw is a look into a table of a million places, filled in proportion: searching the sums for each word would take minutes.
        var draws = new int[1 << 20];
        for (int i = 0, word = 0; i < draws.Length; i++)
        {
            while (sums[word] < sums[^1] * (i + 0.5) / draws.Length) word++;
            draws[i] = word;
        }

        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
        for (var written = 0L; written < bytes;)
        {
            var count = 4 + random.Next(16);
            for (var i = 0; i < count; i++)
            {
                var word = words[draws[random.Next(draws.Length)]];
                file.Write(word);
                file.WriteByte(i == count - 1 ? (byte)'\n' : (byte)' ');
                written += word.Length + 1;
            }
        }
    }

    private static (long, long) Plinq(string path)
    {
        var counts = File.ReadLines(path).AsParallel().WithDegreeOfParallelism(Session.Cores)
            .SelectMany(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .GroupBy(static word => word)
            .Select(static group => (long)group.Count()).ToArray();
        return (counts.LongLength, counts.Sum());
    }

    /// <summary>Each thread reads half of the file and looks words up as spans, so that only new words become strings.</summary>
    private static (long, long) Loop(string path)
    {
        var middle = LineStart(path, new FileInfo(path).Length / 2);
        var halves = new Dictionary<string, long>[2];
        var second = new Thread(() => halves[1] = Count(path, middle, long.MaxValue));
        second.Start();
        halves[0] = Count(path, 0, middle);
        second.Join();
        foreach (var (word, count) in halves[1])
            CollectionsMarshal.GetValueRefOrAddDefault(halves[0], word, out _) += count;
        return (halves[0].Count, halves[0].Values.Sum());
    }

    private static Dictionary<string, long> Count(string path, long start, long end)
    {
        var counts = new Dictionary<string, long>();
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        file.Position = start;
        using var reader = new StreamReader(file, Encoding.UTF8, false, 1 << 16);
        // The text is ASCII: a character is a byte, and each line ends in one more.
        for (var position = start; position < end && reader.ReadLine() is { } line; position += line.Length + 1)
        {
            foreach (var range in line.AsSpan().Split(' '))
            {
                var word = line.AsSpan()[range];
                if (word.Length > 0) CollectionsMarshal.GetValueRefOrAddDefault(lookup, word, out _)++;
            }
        }
        return counts;
    }

    private static long LineStart(string path, long position)
    {
        using var file = File.OpenRead(path);
        file.Position = position;
        while (file.ReadByte() is not ('\n' or -1)) { }
        return file.Position;
    }
}
