using System.Globalization;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Tests.Physical;

namespace Dataflow.Sql.Tests.Joins;

/// <summary>Joins end in a budget much smaller than either side, with the same answers.</summary>
public sealed class JoinSpillTests
{
    private const long TinyBytes = 28 << 20;

    private const string Sums = "count(*), sum(a.id), sum(b.id), sum(length(a.s)), sum(length(b.s)), sum(b.wide), sum(a.wide), max(b.short), max(a.short), sum(a.m + b.m)";
    private const string LeftSums = "count(*), sum(id), sum(length(s)), sum(wide), max(short), sum(m), min(d), max(day), sum(k)";

    private static readonly Dictionary<string, string> Queries = new()
    {
        ["inner"] = $"SELECT {Sums} FROM t a JOIN t b ON a.k = b.k",
        ["two texts"] = $"SELECT {Sums} FROM t a JOIN t b ON a.s = b.s AND a.short = b.short",
        ["left"] = $"SELECT {Sums} FROM t a LEFT JOIN t b ON a.k = b.id AND b.flag",
        ["right"] = $"SELECT {Sums} FROM t a RIGHT JOIN t b ON a.k = b.id + 1 AND b.g < 40",
        ["full"] = $"SELECT {Sums} FROM (SELECT * FROM t WHERE NOT flag) a FULL JOIN (SELECT * FROM t WHERE g > 20) b ON a.id = b.id AND a.s = b.s",
        ["semi"] = $"SELECT {LeftSums} FROM t WHERE EXISTS (SELECT 1 FROM t o WHERE o.s = t.s AND o.wide <> t.wide AND o.m > t.m - 10000 AND length(o.short) > length(t.s) - 100)",
        ["anti"] = $"SELECT {LeftSums} FROM t WHERE NOT EXISTS (SELECT 1 FROM t o WHERE o.k = t.k + 1 AND o.s <> t.s AND o.wide <> t.wide AND length(o.short) > length(t.s) - 100)",
        ["null safe"] = $"SELECT {Sums} FROM t a JOIN t b ON a.short <=> b.short AND a.k = b.k",
    };

    public static TheoryData<string> Joins => new(Queries.Keys);

    public static TheoryData<string> Some => ["inner", "full", "semi", "null safe"];

    [Theory, MemberData(nameof(Joins))]
    public async Task Sides_that_do_not_fit_are_cut_and_spilled(string name)
    {
        var query = Queries[name];
        var expected = await SpillTests.RunAsync(query, null);

        // Their stages run one after the other, so that their rows, which are fewer, would just fit.
        var budget = name is "full" or "left" ? TinyBytes * 5 / 8 : TinyBytes;
        var actual = await SpillTests.RunAsync(query, budget);
        Assert.Equal(expected.Lines.Order(StringComparer.Ordinal), actual.Lines.Order(StringComparer.Ordinal));
        Assert.True(actual.Spilled > 0, "nothing was spilled");
        Assert.InRange(actual.Peak, 1, TinyBytes);
    }

    [Theory, MemberData(nameof(Some))]
    public async Task Partitions_that_are_larger_than_was_guessed_are_cut_again(string name)
    {
        var query = Queries[name];
        var expected = await SpillTests.RunAsync(query, null);
        var actual = await SpillTests.RunAsync(query, TinyBytes, planning: options => options with { SharedBuildBytes = 0, PartitionBytes = 1 << 30 });
        Assert.Equal(expected.Lines.Order(StringComparer.Ordinal), actual.Lines.Order(StringComparer.Ordinal));
        Assert.True(actual.Spilled > 0, "nothing was spilled");
        Assert.InRange(actual.Peak, 1, TinyBytes);
    }

    [Fact]
    public async Task Rows_come_in_the_same_order_each_time_in_the_same_budget()
    {
        const string query = "SELECT a.id, b.id, b.s FROM t a JOIN t b ON a.s = b.s AND a.k % 5 = b.k % 5 AND b.wide >= a.wide AND b.m < 100";
        var first = await SpillTests.RunAsync(query, TinyBytes, planning: options => options with { SharedBuildBytes = 0, PartitionBytes = 1 << 30 });
        var again = await SpillTests.RunAsync(query, TinyBytes, planning: options => options with { SharedBuildBytes = 0, PartitionBytes = 1 << 30 });
        Assert.Equal(first.Lines, again.Lines);
        Assert.True(first.Lines.Count > 1000);
    }
}
