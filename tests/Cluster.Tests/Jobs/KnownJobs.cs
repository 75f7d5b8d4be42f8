using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Dataflow.Cluster.Tests;

/// <summary>Jobs that many know, each a program of several jobs in a row. All bits of an answer are compared, so sums of fractions must be added in the same order.</summary>
internal static class KnownJobs
{
    private const double Damping = 0.85;

    /// <summary>Makes, sorts and writes records of 100 bytes. The answer is a hash of each file.</summary>
    public static async Task<byte[]> TeraSortAsync(DataflowContext context, string folder, int records)
    {
        var (input, output) = (Path.Combine(folder, "input"), Path.Combine(folder, "output"));
        await context.Range(0, records, partitions: 6).Map(number => Record.Make(1, number)).SaveAsRecordsAsync(input);
        await context.FixedRecords<Record>(input).SortBy(record => record.Key, partitions: 5).SaveAsRecordsAsync(output);
        var after = await context.FixedRecords<Record>(output)
            .AggregateAsync(Summary.Empty, (run, record) => run.Add(record), (run, next) => run.Then(next));
        Assert.True(after.IsSorted);
        Assert.Equal(records, after.Count);
        return [.. Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).SelectMany(file =>
            SHA256.HashData([.. System.Text.Encoding.UTF8.GetBytes(Path.GetRelativePath(output, file)), .. File.ReadAllBytes(file)]))];
    }

    /// <summary>Ranks of pages that link to each other at random. The answer is every rank.</summary>
    public static async Task<byte[]> PageRankAsync(DataflowContext context, int pages, int rounds)
    {
        var placement = new HashPartitioner<int>(5);
        var links = context.Range(0, pages, partitions: 4)
            .Map(page => ((int)page, Enumerable.Range(1, 1 + (int)(page % 9)).Select(i => (int)((page * 7919 + i * 104_729L * i) % pages)).ToArray()))
            .PartitionBy(placement)
            .Cache();
        var ranks = links.MapValues(_ => 1.0 / pages).Cache();
        for (var round = 0; round < rounds; round++)
        {
            var next = links.Join(ranks)
                .FlatMap(page => page.Value.Left.Select(target => (target, page.Value.Right / page.Value.Left.Length)))
                .ReduceByKey((a, b) => a + b, placement)
                .MapValues(rank => (1 - Damping) / pages + Damping * rank)
                .Cache();
            await next.Values().SumAsync();
            ranks.Unpersist();
            ranks = next;
        }
        var answer = await ranks.CollectAsync();
        links.Unpersist();
        ranks.Unpersist();
        return Bytes(answer.SelectMany(page => (double[])[page.Key, page.Value]));
    }

    /// <summary>The centres of cached points after some rounds. The answer is every coordinate.</summary>
    public static async Task<byte[]> KMeansAsync(DataflowContext context, int count, int rounds)
    {
        const int clusters = 5;
        var points = context.Range(0, count, partitions: 6)
            .MapPartitionsWithIndex((partition, ids) =>
            {
                var random = new Random(1000 + partition);
                return ids.Select(id => Point.OnCircle(2.0 * (id % clusters) / clusters) * 3 + Point.Normal(random));
            })
            .Cache();
        var found = await points.TakeSampleAsync(withReplacement: false, clusters, seed: 1);
        for (var round = 0; round < rounds; round++)
        {
            var centres = context.Broadcast(found);
            var sums = await points
                .Map(point => (point.NearestOf(centres.Value), (Sum: point, Count: 1L)))
                .ReduceByKey((a, b) => (a.Sum + b.Sum, a.Count + b.Count), partitions: 3)
                .CollectAsMapAsync();
            centres.Destroy();
            found = [.. found.Select((centre, i) => sums.TryGetValue(i, out var near) ? near.Sum / near.Count : centre)];
        }
        points.Unpersist();
        return Bytes(found.SelectMany(centre => (double[])[centre.X, centre.Y]));
    }

    private static byte[] Bytes(IEnumerable<double> numbers) => [.. numbers.SelectMany(number =>
    {
        var bytes = new byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, number);
        return bytes;
    })];
}
