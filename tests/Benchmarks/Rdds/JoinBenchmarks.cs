using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Rdds;

/// <summary>Verbs of two inputs, and distinct, against PLINQ on both cores.</summary>
internal static class JoinBenchmarks
{
    public static IEnumerable<Benchmark> All { get; } =
    [
        new("join 10M x 1M", Join),
        new("cogroup 10M x 1M", CoGroup),
        new("distinct 10M", Distinct),
    ];

    private static IEnumerable<Measurement> Join(Session session)
    {
        var (many, few) = Inputs(session);
        using var context = Session.Context(Session.Cores);
        var (left, right) = (context.Parallelize(many), context.Parallelize(few));
        var (ours, peer) = session.Duel(
            () => left.Join(right).Map(static pair => pair.Value.Left ^ pair.Value.Right).Sum(),
            () => Parallel(many).Join(few.AsParallel(), static pair => pair.Key, static pair => pair.Key, static (a, b) => a.Value ^ b.Value).Sum(),
            repetitions: 3);
        yield return new("join 10M x 1M / PLINQ", "ms", ours, peer, 0.3, 0.15);
    }

    private static IEnumerable<Measurement> CoGroup(Session session)
    {
        var (many, few) = Inputs(session);
        using var context = Session.Context(Session.Cores);
        var (left, right) = (context.Parallelize(many), context.Parallelize(few));
        var (ours, peer) = session.Duel(
            () => left.CoGroup(right).Map(static pair => (long)pair.Value.Left.Count * pair.Value.Right.Count).Sum(),
            () => Parallel(few)
                .GroupJoin(many.AsParallel(), static pair => pair.Key, static pair => pair.Key, static (_, group) => (long)group.Count()).Sum(),
            repetitions: 3);
        yield return new("cogroup 10M x 1M / PLINQ GroupJoin", "ms", ours, peer, 0.3, 0.15);
    }

    private static IEnumerable<Measurement> Distinct(Session session)
    {
        var random = new Random(2);
        var numbers = new int[session.Size(10_000_000)];
        for (var i = 0; i < numbers.Length; i++) numbers[i] = random.Next(numbers.Length / 2);
        using var context = Session.Context(Session.Cores);
        var input = context.Parallelize(numbers);
        var (ours, peer) = session.Duel(
            () => input.Distinct().Count(),
            () => (long)Parallel(numbers).Distinct().Count(),
            repetitions: 3);
        yield return new("distinct 10M / PLINQ", "ms", ours, peer, 0.3, 0.15);
    }

    /// <summary>Each key of the smaller side is there once; the larger side has about ten of each.</summary>
    private static ((int Key, long Value)[] Many, (int Key, long Value)[] Few) Inputs(Session session)
    {
        var random = new Random(1);
        var few = new (int Key, long Value)[session.Size(1_000_000)];
        for (var i = 0; i < few.Length; i++) few[i] = (unchecked(i * 0x5bd1e995), i);
        random.Shuffle(few);
        var many = new (int Key, long Value)[session.Size(10_000_000)];
        for (var i = 0; i < many.Length; i++) many[i] = (few[random.Next(few.Length)].Key, i);
        return (many, few);
    }

    private static ParallelQuery<T> Parallel<T>(T[] items) => items.AsParallel().WithDegreeOfParallelism(Session.Cores);
}
