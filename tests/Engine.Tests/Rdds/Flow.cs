using Dataflow.Serialization;

namespace Dataflow.Engine.Tests.Rdds;

/// <summary>How much of where elements are is promised.</summary>
internal enum Known
{
    /// <summary>Which there are.</summary>
    Bag,

    /// <summary>And in which order they are collected.</summary>
    Order,

    /// <summary>And in which partition each is.</summary>
    Partitions,
}

/// <summary>What a pipeline came to.</summary>
/// <param name="Steps">The pipeline as text.</param>
/// <param name="Difference">How the Rdd differs from LINQ, or null.</param>
/// <param name="Bits">The elements as collected, encoded.</param>
internal sealed record Outcome(string Steps, string? Difference, byte[] Bits);

/// <summary>A random pipeline under construction: an Rdd, and beside it what LINQ makes of the same steps.</summary>
internal abstract class Flow(DataflowContext context, Random random, string steps)
{
    protected DataflowContext Context => context;

    /// <summary>Drawn from in the same way whatever the context, so that a seed gives one pipeline.</summary>
    protected Random Random => random;

    public string Steps => steps;

    public abstract Flow Step();

    public abstract Outcome Run();

    /// <summary>A pipeline of some steps.</summary>
    public static Flow Make(DataflowContext context, int seed)
    {
        Kinds.Define();
        var random = new Random(seed);
        var flow = Sources.Any(context, random);
        for (var steps = random.Next(2, 9); steps > 0; steps--) flow = flow.Step();
        return flow;
    }
}

/// <summary>A flow of one element type.</summary>
/// <param name="rdd">The Rdd.</param>
/// <param name="parts">What LINQ gives: by partition if those are known, else all in one.</param>
/// <param name="known">How much of that is promised.</param>
/// <param name="random">Where choices come from.</param>
/// <param name="steps">The pipeline as text.</param>
internal abstract class Flow<T>(Rdd<T> rdd, IReadOnlyList<List<T>> parts, Known known, Random random, string steps) : Flow(rdd.Context, random, steps)
{
    public Rdd<T> Rdd => rdd;

    public IReadOnlyList<List<T>> Parts => parts;

    public Known Known => known;

    public IEnumerable<T> All => parts.SelectMany(part => part);

    public int Count => parts.Sum(part => part.Count);

    public sealed override Outcome Run()
    {
        var actual = rdd.Collect();
        var again = Random.Next(4) == 0 ? rdd.Collect() : actual;
        using var writer = new BlockWriter();
        Codec<T>.Default.Write(writer, actual);
        return new Outcome(Steps, Difference(actual) ?? (FirstDifference(actual, again) is { } at ? $"a second action gives something else at {at}" : null), writer.Written.ToArray());
    }

    /// <summary>Some number of partitions, or 0 for the default.</summary>
    protected int Partitions() => Random.Next(0, 6);

    /// <summary>The expected elements once partitions are not known any more.</summary>
    protected List<T>[] Joined() => [[.. All]];

    protected string Then(string step) => $"{Steps}\n  .{step}";

    private string? Difference(T[] actual)
    {
        if (Bag.Difference(All, actual) is { } difference) return difference;
        if (known >= Known.Order && FirstDifference(All.ToArray(), actual) is { } position) return $"the same elements in another order, first at {position}";
        if (known < Known.Partitions) return null;
        var lengths = rdd.MapPartitions(static items => new[] { items.Count() }).Collect();
        return lengths.SequenceEqual(parts.Select(part => part.Count)) ? null
            : $"partitions of [{string.Join(", ", lengths)}] instead of [{string.Join(", ", parts.Select(part => part.Count))}] elements";
    }

    private static int? FirstDifference(T[] expected, T[] actual)
    {
        if (expected.Length != actual.Length) return Math.Min(expected.Length, actual.Length);
        for (var i = 0; i < actual.Length; i++)
        {
            if (!EqualityComparer<T>.Default.Equals(expected[i], actual[i])) return i;
        }
        return null;
    }
}

/// <summary>Where pipelines begin.</summary>
internal static class Sources
{
    public static Flow Any(DataflowContext context, Random random) => random.Next(8) switch
    {
        0 => Of<int>(context, random),
        1 => Of<long>(context, random),
        2 => Of<double>(context, random),
        3 => Of<string?>(context, random),
        4 => Of<decimal>(context, random),
        5 => Of<int?>(context, random),
        6 => Of<Spot?>(context, random),
        _ => Of<(int, string?)>(context, random),
    };

    /// <summary>Elements of which some occur several times; now and then none at all, or fewer than partitions.</summary>
    public static PlainFlow<T> Of<T>(DataflowContext context, Random random, int most = 300)
    {
        var count = random.Next(6) switch { 0 => random.Next(3), 1 => random.Next(12), _ => random.Next(most) };
        var range = random.Next(1, 2 * count + 2);
        var items = Enumerable.Range(0, count).Select(_ => Kind<T>.From(random.Next(range))).ToArray();
        var partitions = random.Next(1, 7);
        var parts = Enumerable.Range(0, partitions).Select(i => items[(i * count / partitions)..((i + 1) * count / partitions)].ToList()).ToArray();
        return new PlainFlow<T>(context.Parallelize(items, partitions), parts, Known.Partitions, random, $"{Kind<T>.Name} x {count} of {range} in {partitions}");
    }
}
