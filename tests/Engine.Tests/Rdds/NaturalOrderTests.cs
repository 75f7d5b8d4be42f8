using Dataflow.Sorting;

namespace Dataflow.Engine.Tests.Rdds;

/// <summary>The order of keys is the same whatever the culture of the machine.</summary>
public sealed class NaturalOrderTests : IDisposable
{
    private static readonly string?[] Texts = ["i", "I", "ı", "İ", "ä", "z", "Z", "a", null, "-a", "a-b", "ab", ""];

    private readonly DataflowContext _context = DataflowContext.Local(2);

    public void Dispose() => _context.Dispose();

    // These tests may run without the data of any culture, and there .NET compares ordinally too: so that it is not asked is tested as well.
    [Fact]
    public void Tuples_are_left_to_dotnet_only_if_they_hold_no_text()
    {
        Assert.Same(StringComparer.Ordinal, NaturalOrder<string>.Comparer);
        Assert.Same(Comparer<(int, double)>.Default, NaturalOrder<(int, double)>.Comparer);
        Assert.NotSame(Comparer<(int, string)>.Default, NaturalOrder<(int, string)>.Comparer);
        Assert.NotSame(Comparer<(int, (char, string))?>.Default, NaturalOrder<(int, (char, string))?>.Comparer);
        Assert.NotSame(Comparer<Tuple<string>>.Default, NaturalOrder<Tuple<string>>.Comparer);
    }

    [Fact]
    public void Texts_in_tuples_sort_ordinally()
    {
        string?[] ordinal = [.. Texts.Order(StringComparer.Ordinal)];
        Check(text => (text, 1), key => key.text);
        Check(text => (1, (2, text)), key => key.Item2.text);
        Check(text => (1, 2, 3, 4, 5, 6, 7, 8, text), key => key.text);
        Check(text => Tuple.Create(1, text), key => key.Item2);
        Check(text => ((int, string?)?)(1, text), key => key!.Value.Item2);

        void Check<TKey>(Func<string?, TKey> keyOf, Func<TKey, string?> textOf)
        {
            var rdd = _context.Parallelize(Texts.Select(keyOf).ToArray(), 3);
            Assert.Equal(ordinal, rdd.SortBy(key => key).Collect().Select(textOf));
            Assert.Equal(ordinal.Reverse(), rdd.SortBy(key => key, descending: true).Collect().Select(textOf));
            Assert.Equal(ordinal, rdd.TakeOrdered(100).Select(textOf));
            Assert.Equal(ordinal.Reverse(), rdd.Top(100).Select(textOf));
            Assert.Equal(ordinal[0], textOf(rdd.Min()));
        }
    }

    [Fact]
    public void Tuples_that_are_null_come_first()
    {
        var rdd = _context.Parallelize<(string, int)?>([("b", 1), null, ("a", 2), ("a", 1), null], 2);
        Assert.Equal([null, null, ("a", 1), ("a", 2), ("b", 1)], rdd.SortBy(key => key).Collect());
        var objects = _context.Parallelize<Tuple<string, int>?>([Tuple.Create("b", 1), null, Tuple.Create("a", 2)], 2);
        Assert.Equal([null, Tuple.Create("a", 2), Tuple.Create("b", 1)], objects.SortBy(key => key).Collect());
    }

    [Fact]
    public void A_tuple_is_refused_for_a_part_without_an_order()
    {
        var error = Assert.Throws<NotSupportedException>(() => _context.Parallelize(new[] { (1, (2, new Version[1])) }).SortBy(key => key));
        Assert.Contains("Keys of type (int, (int, Version[])) have no order: their Item2.Item2, of type Version[], has none.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_comparer_throws_comes_through()
    {
        var rdd = _context.Parallelize(Enumerable.Range(0, 100), 2);
        var comparer = Comparer<int>.Create((_, _) => throw new TimeoutException("no answer"));
        Assert.Throws<TimeoutException>(() => rdd.SortBy(i => i, comparer: comparer).Count());
        Assert.Throws<TimeoutException>(() => _context.Parallelize(Enumerable.Range(0, 2), 2).Top(1, i => i, comparer));
    }
}
