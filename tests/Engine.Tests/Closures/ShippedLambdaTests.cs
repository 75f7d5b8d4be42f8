using System.Globalization;
using System.Linq.Expressions;
using System.Text.RegularExpressions;
using Dataflow.Closures;
using Dataflow.Shared;

namespace Dataflow.Engine.Tests.Closures;

/// <summary>Lambdas do after the way through bytes what they did before.</summary>
public sealed class ShippedLambdaTests
{
    private static int _counter = 1;

    private readonly int _field = 42;

    internal enum Color
    {
        Red,
        Green,
    }

    internal interface IShape
    {
        int Area();
    }

    [Fact]
    public void Lambdas_without_captures_run_the_same()
    {
        Same((int x) => x + 1, 1);
        Same(static (int x) => x * 2, 4);
        Same((int x) => new Point(x, 4).Norm(), 3);
    }

    [Fact]
    public void Captured_values_of_all_kinds_travel()
    {
        var number = 10;
        var array = new[] { 1, 2, 3 };
        var matrix = new[,] { { 1, 2 }, { 3, 4 } };
        var jagged = new[] { new[] { "a" }, null, ["b", "c"] };
        var record = new Point(3, 4);
        var anonymous = new { A = 1, B = "x" };
        var color = Color.Green;
        int? maybe = 5;
        int? none = null;
        var date = new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        var tuple = (Number: 1, Text: "t", Inner: (2.5, 'c'));
        IShape shape = new Square(3);
        object boxed = 7L;
        Same((int x) => x + number, 1);
        Same((int x) => array.Sum() + x, 1);
        Same((int x) => matrix[1, 0] + x, 1);
        Same((int x) => jagged[2]![x] + jagged.Count(one => one is null), 1);
        Same((int x) => record.X * x, 2);
        Same((int x) => anonymous.B + anonymous.A + x, 2);
        Same((int x) => $"{color} {maybe} {none is null} {date:O} {date.Kind} {tuple.Text} {tuple.Inner} {(int)color} {boxed} {x}", 1);
        Same((int x) => shape.Area() + x, 1);
    }

    [Fact]
    public void Collections_travel_by_content_with_their_comparers()
    {
        var map = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase) { ["A"] = 1, ["b"] = 2 };
        var set = new HashSet<string>(StringComparer.Create(CultureInfo.InvariantCulture, ignoreCase: true)) { "x" };
        var points = new List<Point> { new(1, 1) };
        var sorted = new SortedDictionary<int, string>(Comparer<int>.Create(static (a, b) => b.CompareTo(a))) { [1] = "one", [2] = "two" };
        var byLast = new Dictionary<string, int>(new LastLetter()) { ["ab"] = 1 };
        var identity = new HashSet<object>(ReferenceEqualityComparer.Instance) { points };
        Same((string k) => map.TryGetValue(k, out var v) ? v : -1, "a");
        Same((string k) => set.Contains(k), "X");
        Same((int x) => points[0].X + x, 1);
        Same((int x) => string.Join(",", sorted.Keys) + x, 1);
        Same((string k) => byLast[k], "zb");
        Same((int _) => identity.Contains(points), 1);
    }

    [Fact]
    public void Scopes_nest()
    {
        var outer = 10;
        foreach (var i in new[] { 5 })
        {
            var inner = i * 2;
            Same((int x) => x + inner + outer + i, 1);
        }
    }

    [Fact]
    public void Local_functions_method_groups_and_extension_methods_travel()
    {
        var captured = 10;
        var array = new[] { 1, 2, 3 };
        int Free(int x) => x + 100;
        int Bound(int x) => x + captured;
        IEnumerable<int> Iterated(int n)
        {
            for (var i = 0; i < n; i++) yield return i + captured;
        }
        Same<int, int>(Free, 1);
        Same<int, int>(Bound, 1);
        Same((int x) => Bound(x) + 1, 1);
        Same((int n) => string.Join(",", Iterated(n)), 3);
        Same<string, int>(int.Parse, "12");
        Same<string, int>("abc".IndexOf, "c");
        Same<int, int>(array.SumPlus, 1);
        Same((int n) => Enumerable.Range(0, n).Where(static x => x % 2 == 0).Sum(), 9);
    }

    [Fact]
    public void Generic_code_travels_with_its_arguments()
    {
        Same(Generic.Named<string>("p"), "q");
        Same(Generic.Named<Point>("p"), "q");
        Same(new Box<int>(9).Pair(), 3);
        Same(Box<Point>.Show(), 3);
        Same(Generic.Over(new { Q = 4 }, static one => one.Q), 3);
        Same(Generic.NameOf(typeof(Dictionary<string, Point[]>)), 1);
    }

    [Fact]
    public void Delegates_inside_captures_travel()
    {
        var factor = 10;
        Func<int, int> increment = x => x + 1;
        Func<int, int> composed = x => increment(increment(x)) * factor;
        Func<int, int>? fibonacci = null;
        fibonacci = n => n < 2 ? n : fibonacci!(n - 1) + fibonacci(n - 2);
        Func<int, int>? even = null, odd = null;
        even = n => n == 0 ? 1 : odd!(n - 1);
        odd = n => n == 0 ? 0 : even(n - 1);
        var table = new Func<int, int>[] { increment, x => x * factor };
        Func<int, int> multicast = x => x + 1;
        multicast += x => x + 2;
        Same(composed, 1);
        Same(fibonacci, 10);
        Same(even, 7);
        Same((int x) => table[1](table[0](x)), 3);
        Same(multicast, 1);
        Assert.Equal(2, Ship.Copy(multicast).GetInvocationList().Length);
    }

    [Fact]
    public async Task Async_lambdas_travel()
    {
        var captured = 10;
        var copy = Ship.Copy(async (int n) =>
        {
            await Task.Yield();
            return n + captured;
        });
        Assert.Equal(13, await copy(3));
    }

    [Fact]
    public void This_travels_whole_and_cycles_stay_cycles()
    {
        Same((int x) => x + _field, 1);
        var node = new Node { Value = 1 };
        node.Next = new Node { Value = 2, Next = node };
        var copy = Ship.Copy(() => node)();
        Assert.Same(copy, copy.Next!.Next);
        Assert.NotSame(node, copy);
    }

    [Fact]
    public void Objects_shared_by_two_lambdas_stay_shared()
    {
        var list = new List<int>();
        var (add, count) = Ship.Copy(Tuple.Create((Action<int>)list.Add, () => list.Count));
        add(1);
        Assert.Equal(1, count());
        Assert.Empty(list);
    }

    [Fact]
    public void What_is_known_by_its_making_is_made_again()
    {
        var pattern = new Regex("A+", RegexOptions.IgnoreCase, TimeSpan.FromSeconds(3));
        var made = 0;
        var lazy = new Lazy<string>(() => "lazy" + made);
        var culture = CultureInfo.InvariantCulture;
        var encoding = new System.Text.UTF8Encoding(true, true);
        var uri = new Uri("http://host/a b");
        var version = new Version(1, 2, 3);
        var text = new System.Text.StringBuilder("text");
        var token = CancellationToken.None;
        Same((string s) => $"{pattern.IsMatch(s)} {pattern.MatchTimeout} {pattern.Options}", "aa");
        Same((int x) => lazy.Value + culture.Name + encoding.Preamble.Length + uri + version + text + token.CanBeCanceled + x, 1);
        var method = typeof(Math).GetMethod("Abs", [typeof(int)])!;
        Assert.Equal(3, Ship.Copy((int x) => (int)method.Invoke(null, [x])!)(-3));
    }

    [Fact]
    public void Static_fields_do_not_travel()
    {
        var copy = Ship.Copy((int x) => x + _counter);
        _counter++;
        Assert.Equal(1 + _counter, copy(1));
    }

    [Fact]
    public void A_broadcast_travels_as_its_number()
    {
        var broadcast = new Broadcast<int[]>(7, new int[100_000], new CallSite("Broadcast", null, 0));
        var graph = ClosureCodec.Write((int i) => broadcast.Value[i]);
        Assert.InRange(graph.Bytes.Length, 1, 2000);
        Assert.Equal(7, Assert.Single(graph.Broadcasts).Id);
        var fetches = 0;
        var fetched = new FetchedBroadcasts(Ship.Code, id =>
        {
            fetches++;
            return BroadcastCodec.Write(new[] { 5, 6, (int)id }, new CallSite("Broadcast", null, 0)).Bytes;
        });
        var context = new ReadContext(Ship.Code) { Broadcasts = fetched };
        var first = ClosureCodec.Read<Func<int, int>>(graph.Bytes, context);
        var second = ClosureCodec.Read<Func<int, int>>(graph.Bytes, context);
        Assert.Equal([5, 7, 7], new[] { first(0), first(2), second(2) });
        Assert.Equal(1, fetches);
    }

    [Fact]
    public void An_expression_compiled_at_run_time_is_refused()
    {
        var compiled = Expression.Lambda<Func<int>>(Expression.Constant(1)).Compile();
        Assert.Contains("it was compiled at run time", Ship.Refusal(compiled));
    }

    private static void Same<TIn, TOut>(Func<TIn, TOut> lambda, TIn argument) => Assert.Equal(lambda(argument), Ship.Copy(lambda)(argument));

    internal sealed record Point(int X, int Y)
    {
        public double Norm() => Math.Sqrt((X * X) + (Y * Y));
    }

    internal sealed record Square(int Side) : IShape
    {
        public int Area() => Side * Side;
    }

    private sealed class Node
    {
        public int Value { get; init; }

        public Node? Next { get; set; }
    }

    private sealed class LastLetter : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => x?[^1] == y?[^1];

        public int GetHashCode(string obj) => obj[^1];
    }

    private sealed class Box<T>(T value)
    {
        public Func<int, (T, int)> Pair() => x => (value, x);

        public static Func<int, string> Show() => x => typeof(T).Name + x;
    }
}

internal static class Generic
{
    public static Func<string, string> Named<T>(string p) => q => $"{typeof(T).Name} {p} {q}";

    public static Func<int, int> Over<T>(T item, Func<T, int> of) => x => of(item) + x;

    public static Func<int, string> NameOf(Type type) => _ => type.FullName!;

    public static int SumPlus(this int[] items, int x) => items.Sum() + x;
}
