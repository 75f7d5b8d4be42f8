namespace Dataflow.Engine.Tests.Rdds;

/// <summary>The steps of a flow of single elements.</summary>
internal sealed class PlainFlow<T>(Rdd<T> rdd, IReadOnlyList<List<T>> parts, Known known, Random random, string steps) : Flow<T>(rdd, parts, known, random, steps)
{
    public override Flow Step() => Random.Next(24) switch
    {
        0 or 1 => Map(),
        2 or 3 => Filter(),
        4 => FlatMap(),
        5 => MapPartitions(),
        6 => MapPartitionsWithIndex(),
        7 => Distinct(),
        8 => Union(),
        9 or 10 => SortBy(),
        11 => ZipWithIndex(),
        12 => ZipWithUniqueId(),
        13 => Repartition(),
        14 => Coalesce(),
        15 => Keep(),
        16 => Compare(),
        17 => Cartesian(),
        18 => Zip(),
        19 => Glom(),
        20 => Split(),
        _ => KeyBy(),
    };

    private Flow Map()
    {
        var salt = Random.Next(1000);
        return Random.Next(5) switch
        {
            0 => To<int>(salt),
            1 => To<long>(salt),
            2 => To<double>(salt),
            3 => To<string?>(salt),
            _ => To<(int, string?)>(salt),
        };
    }

    private PlainFlow<TOut> To<TOut>(int salt) => Elementwise(
        Rdd.Map(x => Kind<TOut>.From(Kinds.Mix(Kind<T>.Number(x), salt))), part => part.Select(x => Kind<TOut>.From(Kinds.Mix(Kind<T>.Number(x), salt))), $"Map to {Kind<TOut>.Name}");

    private PlainFlow<T> Filter()
    {
        var (salt, of) = (Random.Next(1000), Random.Next(2, 6));
        return Elementwise(
            Rdd.Filter(x => Kinds.Chosen(Kind<T>.Number(x), salt, of)), part => part.Where(x => Kinds.Chosen(Kind<T>.Number(x), salt, of)), $"Filter 1 of {of} out");
    }

    private PlainFlow<T> FlatMap()
    {
        var lazily = Random.Next(2) == 0;
        return Elementwise(
            lazily ? Rdd.FlatMap(static x => Enumerable.Repeat(x, Math.Abs(Kind<T>.Number(x) % 3))) : Rdd.FlatMap(static x => Enumerable.Repeat(x, Math.Abs(Kind<T>.Number(x) % 3)).ToArray()),
            static part => part.SelectMany(static x => Enumerable.Repeat(x, Math.Abs(Kind<T>.Number(x) % 3))),
            lazily ? "FlatMap" : "FlatMap to arrays");
    }

    private PlainFlow<T> MapPartitions()
    {
        if (Known < Known.Partitions) return Filter();
        return Elementwise(Rdd.MapPartitions(static items => items.Skip(1).Append(Kind<T>.From(1))), static part => part.Skip(1).Append(Kind<T>.From(1)), "MapPartitions");
    }

    private PlainFlow<T> MapPartitionsWithIndex()
    {
        if (Known < Known.Partitions) return Filter();
        var parts = Parts.Select((part, index) => Indexed(index, part).ToList()).ToArray();
        return new PlainFlow<T>(Rdd.MapPartitionsWithIndex(static (index, items) => Indexed(index, items)), parts, Known, Random, Then("MapPartitionsWithIndex"));

        static IEnumerable<T> Indexed(int index, IEnumerable<T> items) => items.Where(x => (Kind<T>.Number(x) + index) % 3 != 0).Prepend(Kind<T>.From(index));
    }

    private PlainFlow<T> Distinct()
    {
        var partitions = Partitions();
        return new PlainFlow<T>(Rdd.Distinct(partitions), [[.. All.Distinct()]], Known.Bag, Random, Then($"Distinct({partitions})"));
    }

    private PlainFlow<T> Union()
    {
        var other = Random.Next(3) == 0 ? this : Sources.Of<T>(Context, Random, 60);
        var least = (Known)Math.Min((int)Known, (int)other.Known);
        return new PlainFlow<T>(Rdd.Union(other.Rdd), [.. Parts, .. other.Parts], least, Random, Then($"Union({(other == this ? "itself" : other.Steps)})"));
    }

    private PlainFlow<T> SortBy()
    {
        var descending = Random.Next(2) == 0;
        var partitions = Partitions();
        return Random.Next(4) switch
        {
            0 => SortBy(static x => x, descending, partitions),
            1 => SortBy(static x => Kind<T>.Number(x) % 5, descending, partitions),
            2 => SortBy(static x => Kind<double>.From(Kind<T>.Number(x)), descending, partitions),
            _ => SortBy(static x => Kind<string?>.From(Math.Abs(Kind<T>.Number(x))), descending, partitions),
        };
    }

    private PlainFlow<T> SortBy<TKey>(Func<T, TKey> by, bool descending, int partitions)
    {
        var sorted = descending ? All.OrderByDescending(by, Kind<TKey>.Order) : All.OrderBy(by, Kind<TKey>.Order);

        // Equal keys keep the order they had, if they had one.
        var known = (Known)Math.Min((int)Known, (int)Known.Order);
        return new PlainFlow<T>(
            Rdd.SortBy(by, descending, partitions), [[.. sorted]], known, Random, Then($"SortBy({Kind<TKey>.Name}{(descending ? ", descending" : "")}, {partitions})"));
    }

    private PlainFlow<T> ZipWithIndex()
    {
        if (Known < Known.Order) return Filter();
        var next = 0L;
        var parts = Parts.Select(part => part.Select(x => Kind<T>.From(Kinds.Mix(Kind<T>.Number(x), (int)next++))).ToList()).ToArray();
        return new PlainFlow<T>(
            Rdd.ZipWithIndex().Map(static pair => Kind<T>.From(Kinds.Mix(Kind<T>.Number(pair.Item), (int)pair.Index))), parts, Known, Random, Then("ZipWithIndex"));
    }

    private PlainFlow<T> ZipWithUniqueId()
    {
        if (Known < Known.Partitions) return Filter();
        var parts = Parts.Select((part, i) => part.Select((x, k) => Kind<T>.From(Kinds.Mix(Kind<T>.Number(x), k * Parts.Count + i))).ToList()).ToArray();
        return new PlainFlow<T>(
            Rdd.ZipWithUniqueId().Map(static pair => Kind<T>.From(Kinds.Mix(Kind<T>.Number(pair.Item), (int)pair.Id))), parts, Known, Random, Then("ZipWithUniqueId"));
    }

    private PlainFlow<T> Repartition()
    {
        var partitions = Random.Next(1, 6);
        return new PlainFlow<T>(Rdd.Repartition(partitions), Joined(), Known.Bag, Random, Then($"Repartition({partitions})"));
    }

    private PlainFlow<T> Coalesce()
    {
        var partitions = Random.Next(1, 6);
        var groups = Math.Min(partitions, Parts.Count);
        IReadOnlyList<List<T>> parts = Known < Known.Partitions ? Parts
            : [.. Enumerable.Range(0, groups).Select(i => Parts.Take((i + 1) * Parts.Count / groups).Skip(i * Parts.Count / groups).SelectMany(part => part).ToList())];
        return new PlainFlow<T>(Rdd.Coalesce(partitions), parts, Known, Random, Then($"Coalesce({partitions})"));
    }

    private PlainFlow<T> Keep()
    {
        // Another step on top makes the same Rdd cacheable once only, and the cache is met by both halves of a union.
        var level = Random.Next(4) switch { 0 => StorageLevel.MemoryOnly, 1 => StorageLevel.MemoryAndDiskSerialized, 2 => StorageLevel.DiskOnly, _ => StorageLevel.MemoryAndDisk };
        var kept = Rdd.Filter(static _ => true).Persist(level);
        return new PlainFlow<T>(kept.Union(kept), [.. Parts, .. Parts], Known, Random, Then($"Persist({level}) and Union with itself"));
    }

    private PlainFlow<T> Compare()
    {
        var other = Sources.Of<T>(Context, Random);
        var partitions = Partitions();
        if (Random.Next(2) == 0)
            return new PlainFlow<T>(Rdd.Intersection(other.Rdd, partitions), [[.. All.Intersect(other.All)]], Known.Bag, Random, Then($"Intersection({other.Steps}, {partitions})"));
        var right = other.All.Select(x => (Item: x, Boxed: true)).ToHashSet();
        return new PlainFlow<T>(
            Rdd.Subtract(other.Rdd, partitions), [[.. All.Where(x => !right.Contains((x, true)))]], Known.Bag, Random, Then($"Subtract({other.Steps}, {partitions})"));
    }

    private PlainFlow<T> Cartesian()
    {
        if (Count > 400) return Filter();
        var other = Sources.Of<int>(Context, Random, 6);
        var pairs = from x in All from y in other.All select Kind<T>.From(Kinds.Mix(Kind<T>.Number(x), y));
        return new PlainFlow<T>(
            Rdd.Cartesian(other.Rdd).Map(static pair => Kind<T>.From(Kinds.Mix(Kind<T>.Number(pair.Left), pair.Right))), [[.. pairs]], Known.Bag, Random, Then($"Cartesian({other.Steps})"));
    }

    private PlainFlow<T> Zip() => Elementwise(
        Rdd.Zip(Rdd.Map(static x => Kind<T>.Number(x))).Map(static pair => Kind<T>.From(Kinds.Mix(Kind<T>.Number(pair.First), pair.Second))),
        static part => part.Select(static x => Kind<T>.From(Kinds.Mix(Kind<T>.Number(x), Kind<T>.Number(x)))),
        "Zip with its numbers");

    private PlainFlow<T> Glom()
    {
        if (Known < Known.Partitions) return Filter();
        return Elementwise(Rdd.Glom().FlatMap(static items => items.Reverse()), static part => Enumerable.Reverse(part), "Glom, reversed");
    }

    private PlainFlow<T> Split()
    {
        var parts = Rdd.RandomSplit([1, 2, 1], Random.Next());
        return new PlainFlow<T>(Context.Union([.. parts]), Joined(), Known.Bag, Random, Then("RandomSplit and Union"));
    }

    private Flow KeyBy()
    {
        var range = Random.Next(1, 40);
        return (Random.Next(6), Random.Next(2)) switch
        {
            (0, 0) => KeyBy<int, long>(range),
            (0, _) => KeyBy<int, string?>(range),
            (1, 0) => KeyBy<string?, long>(range),
            (1, _) => KeyBy<string?, string?>(range),
            (2, _) => KeyBy<double, double>(range),
            (3, _) => KeyBy<Spot?, long>(range),
            (4, _) => KeyBy<decimal, string?>(range),
            _ => KeyBy<int?, double>(range),
        };
    }

    private PairFlow<TKey, TValue> KeyBy<TKey, TValue>(int range)
    {
        var parts = Parts.Select(part => part.Select(x => Pair(x, range)).ToList()).ToArray();
        return new PairFlow<TKey, TValue>(Rdd.Map(x => Pair(x, range)), parts, Known, Random, Then($"Map to ({Kind<TKey>.Name} of {range}, {Kind<TValue>.Name})"));

        static (TKey Key, TValue Value) Pair(T x, int range) => (Kind<TKey>.From(Math.Abs(Kind<T>.Number(x) % range)), Kind<TValue>.From(Math.Abs(Kind<T>.Number(x) % 1000)));
    }

    private PlainFlow<TOut> Elementwise<TOut>(Rdd<TOut> rdd, Func<List<T>, IEnumerable<TOut>> linq, string step) =>
        new(rdd, [.. Parts.Select(part => linq(part).ToList())], Known, Random, Then(step));
}
