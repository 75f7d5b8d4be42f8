using Dataflow.Benchmarks.Running;
using Dataflow.Storage;

namespace Dataflow.Benchmarks.Rdds;

/// <summary>A second scan of a cached Rdd, per core, against a scan of an array with the same lambda.</summary>
internal static class CacheBenchmarks
{
    private sealed record Order(int Id, string Customer, long Amount);

    private readonly record struct Reading(int Sensor, long At, double Value);

    public static IEnumerable<Benchmark> All { get; } =
    [
        new("cached scan, objects", session => Scan(
            session, "objects with a string", StorageLevel.MemoryOnly, MakeOrder, static order => order.Amount + order.Customer.Length, 1.3, 1.1)),
        new("cached scan, serialised numbers", session => Scan(
            session, "serialised records of numbers", StorageLevel.MemoryOnlySerialized, MakeReading, static reading => reading.At + (long)reading.Value, 4, 2)),
        new("cached scan, serialised objects", session => Scan(
            session, "serialised objects with a string", StorageLevel.MemoryOnlySerialized, MakeOrder, static order => order.Amount + order.Customer.Length, 4, 2)),
    ];

    private static Order MakeOrder(long i) => new((int)i, "customer " + (i & 0xFFFF), i & 1023);

    private static Reading MakeReading(long i) => new((int)(i % 977), i * 1000, i & 1023);

    private static IEnumerable<Measurement> Scan<T>(
        Session session, string form, StorageLevel level, Func<long, T> make, Func<T, long> lambda, double must, double goal)
    {
        using var context = Session.Context(threads: 1);
        var cached = context.Range(0, session.Size(5_000_000)).Map(make).Persist(level);

        // The peer's array holds what the cache gives: the same objects, or a copy of them in the order in which they were made.
        var records = cached.Collect();
        var (ours, peer) = session.Duel(
            () => cached.Map(lambda).Sum(),
            () =>
            {
                var sum = 0L;
                foreach (var record in records) sum += lambda(record);
                return sum;
            },
            warmUps: 3);
        yield return new($"cached scan of 5M {form} / array scan with the same lambda, per core", "ms", ours, peer, must, goal);
    }
}
