using Dataflow.Fusion;

namespace Dataflow.Engine.Tests.Fusion;

/// <summary>A random chain of operators on an Rdd, and the same chain in LINQ.</summary>
internal abstract class RandomChain
{
    private static readonly string[] Words = ["", "a", "be", "see", "dean", "eland", "finish"];

    /// <summary>What was chained, to be read in a failure.</summary>
    public required string Text { get; init; }

    /// <summary>One more random operator.</summary>
    public abstract RandomChain Next(Random random);

    /// <summary>Runs both.</summary>
    public abstract void Check(Mode mode);

    public static RandomChain Start(int[] items, int chunk) =>
        new Chain<int> { Text = $"{items.Length} in chunks of {chunk}", Rdd = new SourceRdd<int>(items, chunk), Linq = items };

    private static string Word(int x) => Words[(uint)x % Words.Length];

    private static RandomChain Step(Chain<int> c, Random random)
    {
        var n = random.Next(1, 9);
        return random.Next(13) switch
        {
            0 => c.Map("+n", x => x + n),
            1 => c.Map("*3", static x => unchecked(x * 3)),
            2 => c.Filter("%n", x => x % n != 0),
            3 => c.Filter("none", static x => false),
            4 => c.FlatMap("array", static x => (x & 3) switch { 0 => [], 1 => [x], _ => new[] { x, x + 1, ~x } }),
            5 => c.FlatMap("iterator", x => Count(x, (x & 7) % n)),
            6 => c.FlatMap("list", x => new List<int> { x, n }),
            7 => c.Map("string", static x => x.ToString()),
            8 => c.Map("pair", x => (Word(x), x)),
            9 => c.Map("record", x => new Item(x, Word(x + n))),
            10 => c.Map("nullable", x => x % n == 0 ? (int?)null : x),
            11 => c.Map("struct", x => new Boxed(Word(x), x, x * 0.5)),
            _ => c.KeyBy("key", x => (x & 15) % n),
        };
    }

    private static RandomChain Step(Chain<string> c, Random random) => random.Next(6) switch
    {
        0 => c.Map("Length", static s => s.Length),
        1 => c.Filter("long", static s => s.Length > 2),
        2 => c.FlatMap("chars", static s => s.ToCharArray()).Map("int", static ch => (int)ch),
        3 => c.FlatMap("halves", static s => s.Length > 1 ? new[] { s[..1], s[1..] } : []),
        4 => c.Map("object", static s => (object)s).Map("back", static o => ((string)o).Length),
        _ => c.Map("pair", static s => (s, s.Length)),
    };

    private static RandomChain Step(Chain<(string, int)> c, Random random)
    {
        var n = random.Next(4);
        return random.Next(7) switch
        {
            0 => c.Map("Item2", static p => p.Item2),
            1 => c.Filter("some", p => p.Item2 % 5 != n),
            2 => c.Map("swap", static p => (p.Item1 + "!", p.Item2 + 1)),
            3 => MapValues(c, "values", v => v + n),
            4 => FlatMapValues(c, "array of values", v => (v & 1) == 0 ? new[] { v, n } : []),
            5 => FlatMapValues(c, "iterator of values", v => Count(v, v & 3)),
            _ => c.Map("Item1", static p => p.Item1),
        };
    }

    private static RandomChain Step(Chain<(int, int)> c, Random random) => random.Next(4) switch
    {
        0 => c.Map("sum", static p => p.Item1 + p.Item2),
        1 => c.Filter("less", static p => p.Item1 < p.Item2),
        2 => MapValues(c, "string", static v => Word(v)).Map("pair", static p => (p.Item2, p.Item1)),
        _ => FlatMapValues(c, "values", static v => Count(v, v & 3)),
    };

    private static RandomChain Step(Chain<Item> c, Random random) => random.Next(3) switch
    {
        0 => c.Map("Name", static r => r.Name),
        1 => c.Filter("Id", static r => r.Id > 3),
        _ => c.FlatMap("both", static r => new List<Item> { r, r with { Id = 1 } }),
    };

    private static RandomChain Step(Chain<int?> c, Random random) => random.Next(3) switch
    {
        0 => c.Map("or 7", static x => x ?? 7),
        1 => c.Filter("has", static x => x.HasValue),
        _ => c.FlatMap("twice", static x => Enumerable.Repeat(x, 2)),
    };

    private static RandomChain Step(Chain<Boxed> c, Random random) => random.Next(3) switch
    {
        0 => c.Map("Number", static b => b.Number),
        1 => c.Filter("named", static b => b.Name.Length > 0),
        _ => c.FlatMap("both", static b => new[] { b, b with { Half = 1.5 } }),
    };

    private static Chain<(TKey, TOut)> MapValues<TKey, TValue, TOut>(Chain<(TKey, TValue)> c, string name, Func<TValue, TOut> f) => c.With(
        $"MapValues {name}",
        new NarrowRdd<(TKey, TValue), (TKey, TOut)>(c.Rdd, "MapValues", new MapValuesOperation<TKey, TValue, TOut>(f)),
        c.Linq.Select(p => (p.Item1, f(p.Item2))));

    private static Chain<(TKey, TOut)> FlatMapValues<TKey, TValue, TOut>(
        Chain<(TKey, TValue)> c, string name, Func<TValue, IEnumerable<TOut>> f) => c.With(
        $"FlatMapValues {name}",
        new NarrowRdd<(TKey, TValue), (TKey, TOut)>(c.Rdd, "FlatMapValues", new FlatMapValuesOperation<TKey, TValue, TOut>(f)),
        c.Linq.SelectMany(p => f(p.Item2).Select(v => (p.Item1, v))));

    private static IEnumerable<int> Count(int from, int count)
    {
        for (var i = 0; i < count; i++) yield return unchecked(from + i);
    }

    private sealed class Chain<T> : RandomChain
    {
        public required Rdd<T> Rdd { get; init; }

        public required IEnumerable<T> Linq { get; init; }

        public Chain<TOut> Map<TOut>(string name, Func<T, TOut> f) => With($"Map {name}", Rdd.Map(f), Linq.Select(f));

        public Chain<T> Filter(string name, Func<T, bool> f) => With($"Filter {name}", Rdd.Filter(f), Linq.Where(f));

        public Chain<TOut> FlatMap<TOut>(string name, Func<T, IEnumerable<TOut>> f) => With($"FlatMap {name}", Rdd.FlatMap(f), Linq.SelectMany(f));

        public Chain<(TKey, T)> KeyBy<TKey>(string name, Func<T, TKey> f) =>
            With($"KeyBy {name}", new NarrowRdd<T, (TKey, T)>(Rdd, "KeyBy", new KeyByOperation<T, TKey>(f)), Linq.Select(x => (f(x), x)));

        public override RandomChain Next(Random random) => this switch
        {
            Chain<int> c => Step(c, random),
            Chain<string> c => Step(c, random),
            Chain<(string, int)> c => Step(c, random),
            Chain<(int, int)> c => Step(c, random),
            Chain<Item> c => Step(c, random),
            Chain<int?> c => Step(c, random),
            Chain<Boxed> c => Step(c, random),
            _ => throw new InvalidOperationException($"No steps for {typeof(T)}."),
        };

        public override void Check(Mode mode)
        {
            var expected = Linq.ToList();
            var actual = NarrowRun.Collect(Rdd, mode);

            // Assert.Equal is slow; it only tells where they differ.
            if (!expected.SequenceEqual(actual)) Assert.Equal(expected, actual);
            var hash = expected.Aggregate(17, (h, x) => HashCode.Combine(h, x));
            Assert.Equal(hash, NarrowRun.Fold(Rdd, 17, static (h, x) => HashCode.Combine(h, x), mode));
        }

        public Chain<TOut> With<TOut>(string name, Rdd<TOut> rdd, IEnumerable<TOut> linq) => new() { Text = $"{Text}, {name}", Rdd = rdd, Linq = linq };
    }

    private sealed record Item(int Id, string Name);

    private readonly record struct Boxed(string Name, int Number, double Half);
}
