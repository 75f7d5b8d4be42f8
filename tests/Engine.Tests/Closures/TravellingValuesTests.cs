using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Net;
using System.Numerics;
using System.Text;
using Dataflow.Tracking;

namespace Dataflow.Engine.Tests.Closures;

/// <summary>Many values, each captured in many ways: the lambda sees the same after the way through bytes.</summary>
public sealed class TravellingValuesTests
{
    internal enum Size : byte
    {
        Small,
        Large = 200,
    }

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, Values().Length)];

    [Theory, MemberData(nameof(Indices))]
    public void A_captured_value_is_seen_as_it_was(int index)
    {
        var value = Values()[index];
        var expected = Describe(value);
        var holder = new Holder<object?>(value);
        var array = new[] { value, "more", value };
        var list = new List<object?> { value };
        var map = new Dictionary<string, object?> { ["key"] = value };
        var tuple = (1, value);
        var anonymous = new { Value = value };
        Func<object?> inner = () => value;
        Assert.Equal(expected, Describe(Ship.Copy(() => value)()));
        Assert.Equal(expected, Describe(Ship.Copy(() => holder.Value)()));
        Assert.Equal(expected, Describe(Ship.Copy(() => array[2])()));
        Assert.Equal(expected, Describe(Ship.Copy(() => list[0])()));
        Assert.Equal(expected, Describe(Ship.Copy(() => map["key"])()));
        Assert.Equal(expected, Describe(Ship.Copy(() => tuple.value)()));
        Assert.Equal(expected, Describe(Ship.Copy(() => anonymous.Value)()));
        Assert.Equal(expected, Describe(Ship.Copy(() => inner())()));
        Assert.Equal(expected, Describe(Ship.Copy(holder.Get())()));
        Assert.Equal(value?.GetType(), Ship.Copy(() => value)()?.GetType());
        if (value is not null and not ValueType and not string) Assert.True(Ship.Copy(() => ReferenceEquals(array[0], array[2]))());
    }

    [Fact]
    public void A_chain_of_a_hundred_thousand_objects_travels()
    {
        Link? first = null;
        for (var i = 0; i < 100_000; i++) first = new Link(i, first);
        var copy = Ship.Copy(() => first)();
        var count = 0;
        for (var at = copy; at is not null; at = at.Next) Assert.Equal(99_999 - count++, at.Number);
        Assert.Equal(100_000, count);
    }

    [Fact]
    public void Fields_marked_as_not_serialized_stay_behind() =>
        Assert.Equal((1, 0), Ship.Copy(new Marked { Kept = 1, Left = 2 }) is var copy ? (copy.Kept, copy.Left) : default);

    private static object?[] Values() =>
    [
        null, true, (byte)1, (sbyte)-1, (short)-2, (ushort)3, -4, 5u, -6L, 7UL, 'x', 1.5f, double.NaN, -0.0, 12.50m, (Half)1.5, (Int128)9, (UInt128)10,
        new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Local), new DateTimeOffset(2020, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)), new DateOnly(2020, 1, 2),
        new TimeOnly(3, 4), TimeSpan.FromTicks(5), Guid.Parse("11111111-2222-3333-4444-555555555555"), new BigInteger(1) << 100, new Complex(1, 2),
        new Vector3(1, 2, 3), Size.Large, 3..^1, "text", "", "\ud800 lone", new object[] { 1, "a", null! }, new int[0], new[] { 1.5, 2 }, new[] { "a", null },
        new[] { Size.Small, Size.Large }, new byte[,] { { 1, 2 }, { 3, 4 } }, new[] { new[] { 1 }, [] }, new (int, string?)[] { (1, "a"), (2, null) },
        new int?[] { 1, null }, new KeyValuePair<string, int>("a", 1), Tuple.Create(1, "a"), (1, "a", (2.5, Size.Large)), new List<string> { "a", "b" },
        new Dictionary<int, string[]> { [1] = ["a"], [2] = [] }, new SortedDictionary<string, int>(StringComparer.Ordinal) { ["b"] = 1, ["B"] = 2 },
        new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "A" }, new SortedSet<int>(Comparer<int>.Create(static (a, b) => b - a)) { 1, 2, 3 },
        new SortedList<int, string> { [2] = "b", [1] = "a" }, new Queue<int>([1, 2, 3]), new Stack<int>([1, 2, 3]), new LinkedList<string>(["a", "b"]),
        new OrderedDictionary<string, int> { ["z"] = 1, ["a"] = 2 }, new ConcurrentDictionary<string, int> { ["a"] = 1 }, new ConcurrentQueue<int>([1, 2]),
        new ConcurrentStack<int>([1, 2]), ImmutableArray.Create(1, 2), default(ImmutableArray<string>), ImmutableList.Create("a", "b"),
        ImmutableDictionary.Create<string, int>(StringComparer.OrdinalIgnoreCase).Add("A", 1), ImmutableHashSet.Create(StringComparer.Ordinal, "a"),
        ImmutableSortedDictionary<int, string>.Empty.Add(1, "a"), ImmutableSortedSet.Create(3, 1, 2), ImmutableQueue.Create(1, 2), ImmutableStack.Create(1, 2),
        new Dictionary<string, int> { ["a"] = 1, ["b"] = 2 }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase), new[] { 1, 2, 3 }.ToFrozenSet(),
        new ReadOnlyCollection<int>([1, 2]), new Collection<string> { "a" }, new ReadOnlyDictionary<string, int>(new Dictionary<string, int> { ["a"] = 1 }),
        new BitArray([true, false, true]), new ArraySegment<int>([1, 2, 3, 4], 1, 2), (ReadOnlyMemory<int>)new[] { 1, 2, 3 }.AsMemory(1),
        new Uri("relative/path", UriKind.Relative), new Version(1, 2), new StringBuilder("built"), IPAddress.Parse("10.0.0.1"), CultureInfo.InvariantCulture,
        Encoding.Latin1, typeof(Dictionary<,>), typeof(int[,]), DBNull.Value, StringComparer.OrdinalIgnoreCase, EqualityComparer<string>.Default,
        Comparer<DateTime>.Default, ReferenceEqualityComparer.Instance, new Point(1, null), new PointStruct(1, new Point(2, null)), new Link(1, new Link(2, null)),
        new Words { "a" }, new { A = 1, B = new { C = "c" } }, new Holder<Size?>(Size.Small),
    ];

    // Everything there is to see, in the order in which it is given: the class, what it holds or how it prints, and how it looks things up.
    private static string Describe(object? value) => value switch
    {
        null => "null",
        double number => BitConverter.DoubleToInt64Bits(number).ToString("x", CultureInfo.InvariantCulture),
        string text => string.Join(' ', text.Select(static c => (int)c)),
        DateTime date => $"{date.Ticks} {date.Kind}",
        ImmutableArray<string> { IsDefault: true } => "no array",
        Encoding encoding => $"{encoding.WebName} {encoding.CodePage}",
        IDictionary<string, int> map => $"{map.GetType()} {Items(map)} {map.ContainsKey("A")} {map.ContainsKey("a")}",
        ISet<string> set => $"{set.GetType()} {Items(set)} {set.Contains("a")} {set.Contains("A")}",
        ReadOnlyMemory<int> memory => Items(memory.ToArray()),
        IEnumerable items => $"{items.GetType()} {Items(items)}",
        Link link => $"{link.Number} {Describe(link.Next)}",
        IEqualityComparer<string> comparer => $"{comparer.Equals("a", "A")} {comparer.Equals("a", "a")}",
        Complex or Vector3 => value.ToString()!,
        _ => $"{value.GetType()} {value}",
    };

    private static string Items(IEnumerable items) => string.Join(", ", items.Cast<object?>().Select(Describe));

    internal sealed record Point(int X, string? Label);

    internal sealed class Link(int number, Link? next)
    {
        public int Number => number;

        public Link? Next => next;
    }

    internal readonly record struct PointStruct(int X, Point Inner);

    private sealed class Words : List<string>;

    private sealed class Holder<T>(T value)
    {
        public T Value => value;

        public Func<T> Get() => () => value;

        public override string ToString() => $"{value}";
    }

    private sealed class Marked
    {
        public int Kept;
        [NonSerialized]
        public int Left;
    }
}
