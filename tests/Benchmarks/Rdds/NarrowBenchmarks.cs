using Dataflow.Benchmarks.Running;

namespace Dataflow.Benchmarks.Rdds;

/// <summary>Chains of narrow verbs over numbers.</summary>
/// <remarks>"Per core" is ours on one thread against the peer on one thread.</remarks>
internal static class NarrowBenchmarks
{
    public static IEnumerable<Benchmark> All { get; } =
    [
        new("map+filter+sum 100M", MapFilterSum),
        new("8 chained maps 100M", ChainedMaps),
    ];

    private static IEnumerable<Measurement> MapFilterSum(Session session)
    {
        var numbers = Enumerable.Range(0, session.Size(100_000_000)).ToArray();
        Func<int, int> map = static x => unchecked(x * 3) ^ 5;
        Func<int, bool> filter = static x => (x & 3) != 0;
        Func<int, long> widen = static x => x;
        using (var context = Session.Context(threads: 1))
        {
            var input = context.Parallelize(numbers);
            RunOtherLambdas(context);
            var (ours, peer) = session.Duel(() => input.Map(map).Filter(filter).Map(widen).Sum(), () => Loop(numbers, map, filter, widen), warmUps: 3);
            yield return new("map+filter+sum 100M ints / loop with the same delegates, per core", "ms", ours, peer, 1.25, 1.0);
        }

        using (var context = Session.Context(Session.Cores))
        {
            var input = context.Parallelize(numbers);
            RunOtherLambdas(context);
            var (ours, peer) = session.Duel(
                () => input.Map(map).Filter(filter).Map(widen).Sum(),
                () => numbers.AsParallel().WithDegreeOfParallelism(Session.Cores).Select(map).Where(filter).Select(widen).Sum(),
                warmUps: 3);
            yield return new("map+filter+sum 100M ints / PLINQ, both cores", "ms", ours, peer, 0.25, 0.15);
        }
    }

    /// <summary>The operators see several sets of lambdas first, as in a program: guards on one delegate do not hold any more.</summary>
    private static void RunOtherLambdas(DataflowContext context)
    {
        var few = context.Parallelize(Enumerable.Range(0, 200_000));
        for (var i = 0; i < 5; i++)
        {
            few.Map(static x => x + 1).Filter(static x => x % 3 == 0).Map(static x => (long)x).Sum();
            few.Map(static x => x ^ 77).Filter(static x => x > 10).Map(static x => (long)-x).Sum();
            few.Map(static x => x >> 1).Filter(static x => x < 50_000).Map(static x => x * 2L).Sum();
            few.Map(static x => x | 1).Filter(static x => (x & 8) == 0).Map(static x => x - 1L).Sum();
        }
    }

    private static long Loop(int[] numbers, Func<int, int> map, Func<int, bool> filter, Func<int, long> widen)
    {
        var sum = 0L;
        foreach (var number in numbers)
        {
            var mapped = map(number);
            if (filter(mapped)) sum = checked(sum + widen(mapped));
        }

        return sum;
    }

    private static IEnumerable<Measurement> ChainedMaps(Session session)
    {
        var numbers = Enumerable.Range(0, session.Size(100_000_000)).Select(x => (long)x).ToArray();
        using var context = Session.Context(threads: 1);
        var input = context.Parallelize(numbers);
        var (ours, peer) = session.Duel(
            () => input
                .Map(static x => x + 1).Map(static x => x ^ 3).Map(static x => x + 5).Map(static x => x & 0xFFFFFFF)
                .Map(static x => x - 7).Map(static x => x << 1).Map(static x => x + 11).Map(static x => x ^ 13).Sum(),
            () => numbers
                .Select(static x => x + 1).Select(static x => x ^ 3).Select(static x => x + 5).Select(static x => x & 0xFFFFFFF)
                .Select(static x => x - 7).Select(static x => x << 1).Select(static x => x + 11).Select(static x => x ^ 13).Sum(),
            repetitions: 3, warmUps: 2);
        yield return new("8 chained maps of 100M / LINQ, per core", "ms", ours, peer, 0.2, 0.12);
    }
}
