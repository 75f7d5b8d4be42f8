namespace Dataflow.Engine.Tests.Rdds;

/// <summary>The steps of a flow of pairs.</summary>
internal sealed class PairFlow<TKey, TValue>(
    Rdd<(TKey Key, TValue Value)> rdd, IReadOnlyList<List<(TKey Key, TValue Value)>> parts, Known known, Random random, string steps)
    : Flow<(TKey Key, TValue Value)>(rdd, parts, known, random, steps)
{
    public override Flow Step() => Random.Next(19) switch
    {
        0 => MapValues(),
        1 => FlatMapValues(),
        2 => Filter(),
        3 or 4 => ReduceByKey(),
        5 => AggregateByKey(),
        6 or 7 => GroupByKey(),
        8 => PartitionBy(),
        9 => SortByKey(),
        10 => SortWithin(),
        11 or 12 => Join(),
        13 => OuterJoin(),
        14 => CoGroup(),
        15 => SubtractByKey(),
        16 => Distinct(),
        17 => Union(),
        _ => Elements(),
    };

    private PairFlow<TKey, TValue> MapValues() => Elementwise(
        Rdd.MapValues(static value => Kind<TValue>.From(Kinds.Mix(Kind<TValue>.Number(value), 3))),
        static part => part.Select(static pair => (pair.Key, Kind<TValue>.From(Kinds.Mix(Kind<TValue>.Number(pair.Value), 3)))),
        "MapValues");

    private PairFlow<TKey, TValue> FlatMapValues() => Elementwise(
        Rdd.FlatMapValues(static value => Enumerable.Repeat(value, Math.Abs(Kind<TValue>.Number(value) % 3))),
        static part => part.SelectMany(static pair => Enumerable.Repeat(pair, Math.Abs(Kind<TValue>.Number(pair.Value) % 3))),
        "FlatMapValues");

    private PairFlow<TKey, TValue> Filter()
    {
        var salt = Random.Next(1000);
        return Elementwise(
            Rdd.Filter(pair => Kinds.Chosen(Kind<TKey>.Number(pair.Key), salt, 4)), part => part.Where(pair => Kinds.Chosen(Kind<TKey>.Number(pair.Key), salt, 4)), "Filter");
    }

    private PairFlow<TKey, TValue> ReduceByKey()
    {
        var groups = Groups(All).Select(group => (group.Key, group.Values.Aggregate(Kind<TValue>.Merge)));
        var partitions = Partitions();
        return (Random.Next(4)) switch
        {
            0 => Bagged(Rdd.CombineByKey(static value => value, static (a, b) => Kind<TValue>.Merge(a, b), static (a, b) => Kind<TValue>.Merge(a, b), mapSideCombine: false), groups, "CombineByKey without map side"),
            1 => Bagged(Rdd.ReduceByKey(static (a, b) => Kind<TValue>.Merge(a, b), new ByNumber<TKey>(Random.Next(1, 5))), groups, "ReduceByKey by numbers"),
            _ => Bagged(Rdd.ReduceByKey(static (a, b) => Kind<TValue>.Merge(a, b), partitions), groups, $"ReduceByKey({partitions})"),
        };
    }

    private PairFlow<TKey, TValue> AggregateByKey()
    {
        var partitions = Partitions();
        return Bagged(
            Rdd.AggregateByKey(new List<int>(), static (list, value) => Added(list, [Kind<TValue>.Number(value)]), static (a, b) => Added(a, b), partitions)
                .MapValues(static list => Kind<TValue>.From(Sum(list))),
            Groups(All).Select(group => (group.Key, Kind<TValue>.From(Sum(group.Values.Select(Kind<TValue>.Number))))),
            $"AggregateByKey({partitions})");

        static List<int> Added(List<int> list, IEnumerable<int> numbers)
        {
            list.AddRange(numbers);
            return list;
        }
    }

    private PairFlow<TKey, TValue> GroupByKey()
    {
        var partitions = Partitions();
        var grouped = Rdd.GroupByKey(partitions);

        // Values come in the order of the input, where that has one.
        return Known >= Known.Order
            ? Bagged(
                grouped.MapValues(static values => Kind<TValue>.From(values.Aggregate(7, static (hash, value) => Kinds.Mix(hash, Kind<TValue>.Number(value))))),
                Groups(All).Select(group => (group.Key, Kind<TValue>.From(group.Values.Aggregate(7, static (hash, value) => Kinds.Mix(hash, Kind<TValue>.Number(value)))))),
                $"GroupByKey({partitions}) in order")
            : Bagged(
                grouped.MapValues(static values => Kind<TValue>.From(Sum(values.Select(Kind<TValue>.Number)))),
                Groups(All).Select(group => (group.Key, Kind<TValue>.From(Sum(group.Values.Select(Kind<TValue>.Number))))),
                $"GroupByKey({partitions})");
    }

    private PairFlow<TKey, TValue> PartitionBy()
    {
        Partitioner<TKey> partitioner = Random.Next(2) == 0 ? new HashPartitioner<TKey>(Random.Next(1, 5)) : new ByNumber<TKey>(Random.Next(1, 5));
        var parts = Known < Known.Order ? Joined()
            : [.. Enumerable.Range(0, partitioner.PartitionCount).Select(i => All.Where(pair => partitioner.PartitionOf(pair.Key) == i).ToList())];
        return new PairFlow<TKey, TValue>(
            Rdd.PartitionBy(partitioner), parts, Known < Known.Order ? Known.Bag : Known.Partitions, Random, Then($"PartitionBy({partitioner.GetType().Name}, {partitioner.PartitionCount})"));
    }

    private PairFlow<TKey, TValue> SortByKey()
    {
        var descending = Random.Next(2) == 0;
        var partitions = Partitions();
        var sorted = descending ? All.OrderByDescending(pair => pair.Key, Kind<TKey>.Order) : All.OrderBy(pair => pair.Key, Kind<TKey>.Order);
        return new PairFlow<TKey, TValue>(
            Rdd.SortByKey(descending, partitions), [[.. sorted]], (Known)Math.Min((int)Known, (int)Known.Order), Random, Then($"SortByKey({descending}, {partitions})"));
    }

    private PairFlow<TKey, TValue> SortWithin()
    {
        if (Known < Known.Order) return Filter();
        var partitioner = new ByNumber<TKey>(Random.Next(1, 5));
        var parts = Enumerable.Range(0, partitioner.PartitionCount)
            .Select(i => All.Where(pair => partitioner.PartitionOf(pair.Key) == i).OrderBy(pair => pair.Key, Kind<TKey>.Order).ToList()).ToArray();
        return new PairFlow<TKey, TValue>(
            Rdd.RepartitionAndSortWithinPartitions(partitioner), parts, Known.Partitions, Random, Then($"RepartitionAndSortWithinPartitions({partitioner.PartitionCount})"));
    }

    private PairFlow<TKey, TValue> Join()
    {
        var other = Other();
        if (Count * (long)other.Count > 40_000) return ReduceByKey();
        var partitions = Partitions();
        var rows = from left in All from right in other.All where EqualityComparer<TKey>.Default.Equals(left.Key, right.Key) select (left.Key, Both(left.Value, right.Value));
        return Bagged(Rdd.Join(other.Rdd, partitions).MapValues(static pair => Both(pair.Left, pair.Right)), rows, $"Join({other.Steps}, {partitions})");
    }

    private PairFlow<TKey, TValue> OuterJoin()
    {
        var other = Other();
        if (Count * (long)other.Count > 40_000) return ReduceByKey();
        var partitions = Partitions();
        var both = (from left in All from right in other.All where Same(left.Key, right.Key) select (left.Key, Both(left.Value, right.Value))).ToList();
        var lefts = All.Where(left => !other.All.Any(right => Same(left.Key, right.Key))).Select(left => (left.Key, Both(left.Value, Kind<long>.From(-1))));
        var rights = other.All.Where(right => !All.Any(left => Same(left.Key, right.Key))).Select(right => (right.Key, Both(Kind<TValue>.From(2), right.Value)));
        return Random.Next(3) switch
        {
            0 => Bagged(Rdd.LeftOuterJoin(other.Rdd, partitions).MapValues(static pair => Both(pair.Left, pair.Right.Or(Kind<long>.From(-1)))), both.Concat(lefts), $"LeftOuterJoin({other.Steps})"),
            1 => Bagged(Rdd.RightOuterJoin(other.Rdd, partitions).MapValues(static pair => Both(pair.Left.Or(Kind<TValue>.From(2)), pair.Right)), both.Concat(rights), $"RightOuterJoin({other.Steps})"),
            _ => Bagged(
                Rdd.FullOuterJoin(other.Rdd, partitions).MapValues(static pair => Both(pair.Left.Or(Kind<TValue>.From(2)), pair.Right.Or(Kind<long>.From(-1)))),
                both.Concat(lefts).Concat(rights),
                $"FullOuterJoin({other.Steps})"),
        };
    }

    private PairFlow<TKey, TValue> CoGroup()
    {
        var other = Other();
        var partitions = Partitions();
        var lefts = Groups(All).ToList();
        var rights = Groups(other.All).ToList();
        var rows = lefts.Select(left => (left.Key, Row(left.Values, rights.Where(right => Same(left.Key, right.Key)).SelectMany(right => right.Values).ToList())))
            .Concat(rights.Where(right => !lefts.Any(left => Same(left.Key, right.Key))).Select(right => (right.Key, Row([], right.Values))));
        return Bagged(Rdd.CoGroup(other.Rdd, partitions).MapValues(static pair => Row(pair.Left, pair.Right)), rows, $"CoGroup({other.Steps}, {partitions})");

        static TValue Row(IReadOnlyList<TValue> left, IReadOnlyList<long> right) =>
            Kind<TValue>.From(Kinds.Mix(Sum(left.Select(Kind<TValue>.Number)) + left.Count, Sum(right.Select(Kind<long>.Number)) + right.Count));
    }

    private PairFlow<TKey, TValue> SubtractByKey()
    {
        var other = Other();
        var partitions = Partitions();
        return Bagged(
            Rdd.SubtractByKey(other.Rdd, partitions), All.Where(left => !other.All.Any(right => Same(left.Key, right.Key))), $"SubtractByKey({other.Steps}, {partitions})");
    }

    private PairFlow<TKey, TValue> Distinct()
    {
        var partitions = Partitions();
        return Bagged(Rdd.Distinct(partitions), All.Distinct(), $"Distinct({partitions})");
    }

    private PairFlow<TKey, TValue> Union()
    {
        // Equally placed inputs are read side by side.
        var partitioner = new HashPartitioner<TKey>(3);
        var other = new PairFlow<TKey, TValue>(Rdd.ReduceByKey(static (a, b) => Kind<TValue>.Merge(a, b), partitioner), [[.. Groups(All).Select(group => (group.Key, group.Values.Aggregate(Kind<TValue>.Merge)))]], Known.Bag, Random, "");
        return Bagged(Rdd.PartitionBy(partitioner).Union(other.Rdd), All.Concat(other.All), "PartitionBy and Union with its ReduceByKey");
    }

    private Flow Elements()
    {
        if (Random.Next(2) == 0)
            return new PlainFlow<TKey>(Rdd.Keys(), [.. Parts.Select(part => part.Select(pair => pair.Key).ToList())], Known, Random, Then("Keys"));
        return new PlainFlow<TValue>(Rdd.Values(), [.. Parts.Select(part => part.Select(pair => pair.Value).ToList())], Known, Random, Then("Values"));
    }

    private PairFlow<TKey, long> Other()
    {
        var range = Random.Next(1, 40);
        var source = Sources.Of<int>(Context, Random, 120);
        var parts = source.Parts.Select(part => part.Select(x => (Kind<TKey>.From(Math.Abs(x % range)), Kind<long>.From(x))).ToList()).ToArray();
        var pairs = new PairFlow<TKey, long>(source.Rdd.Map(x => (Key: Kind<TKey>.From(Math.Abs(x % range)), Value: Kind<long>.From(x))), parts, Known.Partitions, Random, $"{source.Steps} as pairs of {range}");
        return Random.Next(3) == 0 ? pairs.PartitionBy() : pairs;
    }

    private static TValue Both(TValue left, long right) => Kind<TValue>.From(Kinds.Mix(Kind<TValue>.Number(left), Kind<long>.Number(right)));

    private static int Sum(IEnumerable<int> numbers) => numbers.Aggregate(0, static (sum, number) => unchecked(sum + number)) & 0xFFFFF;

    private static bool Same(TKey a, TKey b) => EqualityComparer<TKey>.Default.Equals(a, b);

    private static IEnumerable<(TKey Key, List<TItem> Values)> Groups<TItem>(IEnumerable<(TKey Key, TItem Value)> pairs) =>
        pairs.GroupBy(pair => pair.Key, pair => pair.Value).Select(group => (group.Key, group.ToList()));

    private PairFlow<TKey, TValue> Bagged(Rdd<(TKey Key, TValue Value)> rdd, IEnumerable<(TKey Key, TValue Value)> linq, string step) =>
        new(rdd, [[.. linq]], Known.Bag, Random, Then(step));

    private PairFlow<TKey, TValue> Elementwise(
        Rdd<(TKey Key, TValue Value)> rdd, Func<List<(TKey Key, TValue Value)>, IEnumerable<(TKey Key, TValue Value)>> linq, string step) =>
        new(rdd, [.. Parts.Select(part => linq(part).ToList())], Known, Random, Then(step));
}

/// <summary>A placement of the test's own.</summary>
internal sealed class ByNumber<TKey>(int partitions) : Partitioner<TKey>
{
    public override int PartitionCount { get; } = partitions;

    public override int PartitionOf(TKey key) => (int)((uint)Kind<TKey>.Number(key) % (uint)PartitionCount);

    public override bool Equals(object? obj) => obj is ByNumber<TKey> other && other.PartitionCount == PartitionCount;

    public override int GetHashCode() => PartitionCount;
}
