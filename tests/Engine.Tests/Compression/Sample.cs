using System.Text;

namespace Dataflow.Engine.Tests.Compression;

/// <summary>Bytes of the kinds that compressors treat differently, from a seed.</summary>
internal static class Sample
{
    public static readonly string[] Kinds = ["zeros", "random", "text", "records", "short repeats", "mixed"];

    public static byte[] Of(string kind, int length, int seed = 1)
    {
        var random = new Random(seed);
        var data = new byte[length];
        switch (kind)
        {
            case "zeros":
                break;
            case "random":
                random.NextBytes(data);
                break;
            case "text":
                Fill(data, () => Encoding.ASCII.GetBytes(Words[random.Next(Words.Length)] + " "));
                break;
            case "records":
                Fill(data, () => [.. BitConverter.GetBytes((long)random.Next(100_000)), .. BitConverter.GetBytes(random.Next(100) / 4.0)]);
                break;
            case "short repeats":
                Fill(data, () => Repeat(random, period: random.Next(1, 40)));
                break;
            case "mixed":
                Fill(data, () => Of(Kinds[random.Next(5)], random.Next(1, 3000), random.Next()));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, null);
        }

        return data;
    }

    private static readonly string[] Words =
        [.. "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their".Split(' ')];

    private static byte[] Repeat(Random random, int period)
    {
        var piece = new byte[period];
        random.NextBytes(piece);
        return [.. Enumerable.Range(0, random.Next(1, 200)).Select(at => piece[at % period])];
    }

    private static void Fill(byte[] data, Func<byte[]> next)
    {
        for (var at = 0; at < data.Length;)
        {
            var piece = next();
            var count = Math.Min(piece.Length, data.Length - at);
            piece.AsSpan(0, count).CopyTo(data.AsSpan(at));
            at += count;
        }
    }
}
