using Dataflow.Caching;

namespace Dataflow.Engine.Tests.Storage;

public sealed class SizeEstimatorTests
{
    [Fact]
    public void Elements_without_references_refer_to_nothing()
    {
        Assert.Equal(0, new SizeEstimator<(int, double)>().ReferencedBytes([(1, 2), (3, 4)]));
        Assert.Equal(0, new SizeEstimator<string?>().ReferencedBytes([null, ""]));
        Assert.Equal(0, new SizeEstimator<object>().ReferencedBytes([]));
    }

    [Fact]
    public void Estimates_come_near_what_the_runtime_allocates()
    {
        Check("strings", i => new string('x', 5 + i % 20));
        Check("pairs", i => (new string('x', 5 + i % 20), i));
        Check("records", i => new Visit(i, new string('x', 12), DateTime.UnixEpoch, i % 2 == 0 ? null : i));
        Check("arrays", i => new double[16]);
        Check("lists", i => new List<(string, int)> { (new string('a', 6), 1), (new string('b', 7), 2) });
        Check("dictionaries", i => Enumerable.Range(0, 8).ToDictionary(k => k, k => (long)k));
        Check("nested", i => new Node(i, new Node(i, null, []), new[] { i, i, i }));
        Check("long lists", i => Enumerable.Range(0, 200).Select(k => new string('y', 10)).ToArray());
    }

    [Fact]
    public void Optional_structs_are_measured_by_what_their_values_refer_to()
    {
        Check("optional pairs", i => ((string, int)?)(new string('x', 20), i));
        Check("members", i => new Holder(i % 2 == 0 ? null : (new string('x', 20), i)));
        Check("arrays", i => new (string, int)?[] { (new string('x', 20), 1), null });
        Assert.Equal(0, new SizeEstimator<(string, int)?>().ReferencedBytes([null, null]));
    }

    [Fact]
    public void What_all_elements_share_counts_about_once()
    {
        var shared = new byte[1_000_000];
        var pairs = Enumerable.Range(0, 4000).Select(i => (shared, i)).ToArray();
        Assert.InRange(new SizeEstimator<(byte[], int)>().ReferencedBytes(pairs), 900_000, 1_100_000);
    }

    [Fact]
    public void Circles_and_long_chains_end()
    {
        var circle = new Node(1, null, []);
        circle = circle with { };
        var head = new Chain();
        var last = head;
        for (var i = 0; i < 100_000; i++) last = last.Next = new Chain();
        last.Next = head;
        Assert.InRange(new SizeEstimator<Chain>().ReferencedBytes([head]), 10_000, 1_000_000_000);
        Assert.InRange(new SizeEstimator<Node>().ReferencedBytes([circle]), 24, 1000);
    }

    private static void Check<T>(string what, Func<int, T> make)
    {
        const int count = 3000;
        var items = new T[count];
        items[0] = make(0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < count; i++) items[i] = make(i);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var estimate = new SizeEstimator<T>().ReferencedBytes(items);
        Assert.True(estimate > allocated * 0.7 && estimate < allocated * 1.3, $"{what}: estimated {estimate:N0}, allocated {allocated:N0}");
    }

    private sealed record Visit(int Id, string Url, DateTime At, double? Score);

    private sealed record Node(int Id, Node? Inner, int[] Values);

    private sealed record Holder((string, int)? Pair);

    private sealed class Chain
    {
        public Chain? Next { get; set; }
    }
}
