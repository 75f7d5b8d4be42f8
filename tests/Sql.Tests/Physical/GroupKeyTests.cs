using System.Globalization;

namespace Dataflow.Sql.Tests.Physical;

/// <summary>Groups by whole numbers are the same whether keys lie close together or far apart, and where they begin to while rows come.</summary>
public sealed class GroupKeyTests
{
    private const int Rows = 60_000;

    public static TheoryData<string, long, long, long> Keys => new()
    {
        { "TINYINT", 1, 100, -50 },
        { "SMALLINT", 7919, 30_000, -15_000 },
        { "INT", 7919, 5000, int.MaxValue - 5000L },
        { "INT", 7919, 200_003, -100_000 },
        { "BIGINT", 31, 300_007, long.MaxValue - 300_007 },
        { "BIGINT", 31, 1009, long.MinValue + 1 },
        { "BIGINT", 1_000_003, 1_000_000_007, -9 },
    };

    [Theory, MemberData(nameof(Keys))]
    public void Groups_by_keys_of_any_spread_are_those_of_LINQ(string type, long factor, long modulus, long from)
    {
        using var context = DataflowContext.Local(2);

        // The last rows lie far from the first in every type but the smallest.
        var far = type is "TINYINT" ? 3 : type is "SMALLINT" ? 30_000 : 2_000_000_000;
        var sign = from > 0 ? -1 : 1;
        var text = $"""
            SELECT k, count(*), sum(id) FROM (
                SELECT id, CAST(CASE WHEN id % 17 = 0 THEN NULL WHEN id >= 58000 THEN {sign} * (id % {far}) ELSE (id * {factor}) % {modulus} + ({from}) END AS {type}) AS k FROM range(0, {Rows}, 1, 3))
            GROUP BY k
            """;
        var rows = context.Sql(text).Collect();
        var expected = Enumerable.Range(0, Rows).Select(id => (long)id)
            .GroupBy(id => id % 17 == 0 ? "null" : (id >= 58_000 ? sign * (id % far) : (id * factor % modulus) + from).ToString(CultureInfo.InvariantCulture))
            .Select(group => $"{group.Key}|{group.Count()}|{group.Sum()}");
        var actual = rows.Select(row => string.Create(CultureInfo.InvariantCulture, $"{row[0] ?? "null"}|{row[1]}|{row[2]}"));
        Assert.Equal(expected.Order(StringComparer.Ordinal), actual.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Groups_that_hardly_repeat_are_all_there_however_many_follow_each_other()
    {
        // Long enough that tasks look again whether a table would help, several times.
        using var context = DataflowContext.Local(1);
        var row = context.Sql("""
            SELECT count(*), min(c), max(c), sum(s), sum(k), min(m) FROM (
                SELECT k, count(*) AS c, sum(id) AS s, max(concat('text ', CAST(id AS STRING))) AS m FROM (SELECT id, id * 7919 AS k FROM range(0, 1300000, 1, 1)) GROUP BY k)
            """).Collect().Single();
        const long rows = 1_300_000;
        Assert.Equal([rows, 1L, 1L, rows * (rows - 1) / 2, 7919 * (rows * (rows - 1) / 2), "text 0"], Enumerable.Range(0, row.Count).Select(i => row[i]));
    }

    [Theory]
    [InlineData("INT", "DESC")]
    [InlineData("BIGINT", "ASC NULLS LAST")]
    [InlineData("STRING", "ASC")]
    [InlineData("DOUBLE", "DESC NULLS FIRST")]
    public void The_first_rows_are_those_of_the_whole_order(string type, string order)
    {
        using var context = DataflowContext.Local(2);
        var view = $"SELECT CAST(CASE WHEN id % 1009 = 5 THEN NULL ELSE (id * 48271) % 70001 END AS {type}) AS k, id FROM range(0, 200000, 1, 3)";
        var ordered = $"SELECT * FROM ({view}) ORDER BY k {order}, id";
        var all = context.Sql(ordered).Collect().Select(Text).ToList();
        Assert.Equal(200_000, all.Count);
        Assert.Equal(all.Take(1000), context.Sql(ordered + " LIMIT 1000").Collect().Select(Text));
        Assert.Equal(all.Skip(500).Take(10), context.Sql(ordered + " LIMIT 10 OFFSET 500").Collect().Select(Text));

        static string Text(Row row) => string.Create(CultureInfo.InvariantCulture, $"{row[0] ?? "null"}|{row[1]}");
    }
}
