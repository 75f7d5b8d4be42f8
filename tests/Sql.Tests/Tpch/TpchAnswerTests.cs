using System.Globalization;
using Dataflow.Sql.Physical;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Tpch;

/// <summary>The 22 queries of TPC-H over its tables at scale 0.01, against answers that were made with DuckDB.</summary>
public class TpchAnswerTests
{
    private static readonly string[] Tables = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"];

    public static TheoryData<string> Queries { get; } = new(Enumerable.Range(1, 22).Select(number => $"q{number:D2}"));

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task Each_query_gives_the_stored_answer(string name) => await Check(name, sharedBuildBytes: 20_000_000);

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task Each_query_gives_the_stored_answer_where_all_joins_are_parted_by_keys(string name) => await Check(name, sharedBuildBytes: 0);

    private static async Task Check(string name, long sharedBuildBytes)
    {
        using var context = DataflowContext.Local(threads: 2);
        await Check(context, name, sharedBuildBytes);
    }

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task Each_query_gives_the_stored_answer_where_sizes_change_every_join_and_every_read(string name)
    {
        using var context = DataflowContext.Local(threads: 2);
        var shared = new PlannerOptions(2) { SharedBuildBytes = 1 << 30, LeastReadBytes = 1, SkewBytes = 1, SkewFactor = 0.5, PartitionBytes = 4096 };
        var parted = shared with { SharedBuildBytes = 0 };
        await Check(context, name, shared, parted);
        await Check(context, name, parted, shared);
        await Check(context, name, shared with { IsAdaptive = false }, shared with { IsAdaptive = false });
    }

    /// <summary>Runs a query and compares its rows with the stored answer.</summary>
    internal static Task Check(DataflowContext context, string name, long sharedBuildBytes = 20_000_000)
    {
        var options = new PlannerOptions(context.DefaultParallelism) { SharedBuildBytes = sharedBuildBytes };
        return Check(context, name, options, options);
    }

    /// <summary>The same with options of the planner, and others while the query runs.</summary>
    internal static async Task Check(DataflowContext context, string name, PlannerOptions planned, PlannerOptions run)
    {
        foreach (var table in Tables) context.Read.Parquet(Path.Combine(RepositoryRoot.Path, $"tests/data/tpch/sf0.01/{table}.parquet")).CreateTempView(table);
        var text = File.ReadAllText(Path.Combine(RepositoryRoot.Path, $"tests/Benchmarks/tpch/{name}.sql"));
        var session = SqlSession.Of(context);
        var frame = context.Sql(text);
        var plan = new Planner(planned).Plan(session.Optimise(frame.Plan));
        using var query = new QueryRun(context, new QueryScope(session.Settings(), text));
        var rows = QueryResult.RowsOf(await QueryResult.CollectAsync(plan, query, run, default), frame.Schema).ToList();
        var expected = File.ReadAllLines(Path.Combine(RepositoryRoot.Path, $"tests/data/tpch/answers/sf0.01/{name}.csv")).Skip(1).Select(FieldsOf).ToList();
        Assert.True(expected.Count == rows.Count, $"{name}: expected {expected.Count} rows, but got {rows.Count}.");
        for (var i = 0; i < rows.Count; i++)
        {
            for (var column = 0; column < expected[i].Count; column++)
            {
                Assert.True(
                    IsSame(expected[i][column], rows[i][column], rows[i].Schema[column].Type),
                    $"{name}, row {i + 1}, {rows[i].Schema[column].Name}: expected {expected[i][column]}, but got {ValueText.Of(rows[i][column], rows[i].Schema[column].Type)}.");
            }
        }
    }

    // Averages and quotients are doubles in the stored answers, and decimals here: equal if the stored value is rounded to our scale.
    private static bool IsSame(string expected, object? actual, DataType type)
    {
        var text = ValueText.Of(actual, type);
        if (text == expected || (actual is null && expected.Length == 0)) return true;
        return actual is decimal exact && decimal.TryParse(expected, NumberStyles.Float, CultureInfo.InvariantCulture, out var stored)
            && decimal.Round(stored, exact.Scale, MidpointRounding.AwayFromZero) == exact;
    }

    private static List<string> FieldsOf(string line)
    {
        List<string> fields = [];
        for (var at = 0; at <= line.Length;)
        {
            var isQuoted = at < line.Length && line[at] == '"';
            var end = isQuoted ? line.IndexOf('"', at + 1) : line.IndexOf(',', at);
            if (end < 0) end = line.Length;
            fields.Add(isQuoted ? line[(at + 1)..end] : line[at..end]);
            at = end + (isQuoted ? 2 : 1);
        }
        return fields;
    }
}
