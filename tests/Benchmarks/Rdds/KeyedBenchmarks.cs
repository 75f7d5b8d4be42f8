using System.Runtime.InteropServices;
using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Rdds;

/// <summary>Aggregation by key, against a dictionary on one thread.</summary>
internal static class KeyedBenchmarks
{
    public static IEnumerable<Benchmark> All { get; } =
    [
        new("reduceByKey int", session => Reduce(session, "int", static key => key)),
        new("reduceByKey string", session => Reduce(session, "string", static key => $"key-{key:x8}")),
    ];

    private static IEnumerable<Measurement> Reduce<TKey>(Session session, string name, Func<int, TKey> toKey)
        where TKey : notnull
    {
        var keys = new TKey[session.Size(1_000_000)];
        for (var i = 0; i < keys.Length; i++) keys[i] = toKey(unchecked(i * 0x5bd1e995));
        var random = new Random(1);
        var records = new (TKey Key, long Value)[session.Size(20_000_000)];
        for (var i = 0; i < records.Length; i++) records[i] = (keys[random.Next(keys.Length)], i);

        using var context = Session.Context(threads: 1);
        var input = context.Parallelize(records);
        var (ours, peer) = session.Duel(
            () => input.ReduceByKey(static (a, b) => a + b).Map(static pair => pair.Value & 1023).Sum(),
            () => Loop(records),
            repetitions: 5, warmUps: 2);
        yield return new($"reduceByKey 20M records, 1M {name} keys / Dictionary loop, per core", "ms", ours, peer, 0.65, 0.45);
    }

    private static long Loop<TKey>((TKey Key, long Value)[] records)
        where TKey : notnull
    {
        var sums = new Dictionary<TKey, long>();
        foreach (var (key, value) in records)
            CollectionsMarshal.GetValueRefOrAddDefault(sums, key, out _) += value;
        var total = 0L;
        foreach (var sum in sums.Values) total += sum & 1023;
        return total;
    }
}
