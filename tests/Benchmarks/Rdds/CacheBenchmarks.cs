using Dataflow.Benchmarks.Running;
using Dataflow.Storage;

namespace Dataflow.Benchmarks.Rdds;

/// <summary>A second scan of a cached Rdd, per core, against a scan of an array with the same lambda.</summary>
internal static class CacheBenchmarks
{
    private sealed record Order(int Id, string Customer, long Amount);

    public static IEnumerable<Benchmark> All { get; } =
    [
        new("cached scan, objects", session => Scan(session, "objects", StorageLevel.MemoryOnly, 1.3, 1.1)),
        new("cached scan, serialised", session => Scan(session, "serialised", StorageLevel.MemoryOnlySerialized, 4, 2)),
    ];

    private static IEnumerable<Measurement> Scan(Session session, string form, StorageLevel level, double must, double goal)
    {
        Func<Order, long> lambda = static order => order.Amount + order.Customer.Length;
        var orders = new Order[session.Size(5_000_000)];
        for (var i = 0; i < orders.Length; i++) orders[i] = new Order(i, "customer " + (i & 0xFFFF), i & 1023);
        using var context = Session.Context(threads: 1);
        var cached = context.Parallelize(orders).Map(static order => order with { Id = order.Id + 1 }).Persist(level);
        cached.Count();
        var (ours, peer) = session.Duel(
            () => cached.Map(lambda).Sum(),
            () =>
            {
                var sum = 0L;
                foreach (var order in orders) sum += lambda(order);
                return sum;
            },
            warmUps: 3);
        yield return new($"cached scan of 5M records, {form} / array scan with the same lambda, per core", "ms", ours, peer, must, goal);
    }
}
