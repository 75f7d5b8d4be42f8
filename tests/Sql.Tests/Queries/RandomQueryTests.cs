using System.Globalization;
using Dataflow.Sql.Optimizer;
using Dataflow.Sql.Physical;

namespace Dataflow.Sql.Tests.Queries;

/// <summary>Random queries over small random tables answer as LINQ does on objects: with and without rules, in small and full batches, on one thread and on four.</summary>
public class RandomQueryTests
{
    private const int Queries = 25;

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 4, 1)]
    [InlineData(3, 1, 8192)]
    [InlineData(4, 4, 8192)]
    public async Task Random_queries_answer_as_LINQ_does(int seed, int threads, int batchRows)
    {
        seed += int.Parse(Environment.GetEnvironmentVariable("DATAFLOW_SEED") ?? "0", CultureInfo.InvariantCulture);
        using var context = DataflowContext.Local(threads);
        List<string> failures = [];
        for (var round = 0; round < Queries; round++)
        {
            var random = new Random((seed * 100_000) + round);
            var tables = Enumerable.Range(0, 3).Select(i => Table(random, context, i, batchRows)).ToList();
            var query = new RandomQuery(random, tables).Next();
            foreach (var mode in (Mode[])[Mode.Optimised, Mode.Plain, Mode.Partitioned, Mode.Adaptive])
            {
                if (await Differs(context, query, mode) is { } difference) failures.Add($"seed {seed}, round {round}, {mode}: {query.Sql}\n{difference}");
            }
        }
        Assert.True(failures.Count == 0, $"{failures.Count} differ:\n{string.Join("\n\n", failures)}");
    }

    private enum Mode
    {
        Optimised,
        Plain,
        Partitioned,
        Adaptive,
    }

    private static RandomRelation Table(Random random, DataflowContext context, int number, int batchRows)
    {
        string[] texts = ["a", "b", "abc", "a longer text than twelve bytes", ""];
        var schema = new Schema(
            new Field("i", DataType.Int), new Field("n", random.Next(2) == 0 ? DataType.BigInt : DataType.Int), new Field("s", DataType.String), new Field("f", DataType.Boolean));
        var rows = Enumerable.Range(0, random.Next(4) == 0 ? random.Next(2) : random.Next(2, 9)).Select(_ => new object?[]
        {
            Maybe((long)random.Next(4)), Maybe((long)random.Next(3)), Maybe(texts[random.Next(texts.Length)]), Maybe(random.Next(2) == 0),
        }).ToArray();
        var name = $"t{number}";
        context.Read.Table(new SmallTable(name, schema, rows, random.Next(1, 4), batchRows)).CreateTempView(name);
        (string, RandomKind)[] columns = [("i", RandomKind.Number), ("n", RandomKind.Number), ("s", RandomKind.Text), ("f", RandomKind.Truth)];
        return new RandomRelation($"SELECT * FROM {name}", columns, [.. rows]);

        object? Maybe(object value) => random.Next(5) == 0 ? null : value;
    }

    private static async Task<string?> Differs(DataflowContext context, RandomRelation query, Mode mode)
    {
        List<string> actual;
        var plan = "";
        try
        {
            var session = SqlSession.Of(context);
            var frame = context.Sql(query.Sql);
            var optimizer = mode != Mode.Plain ? session.Optimizer : query.HasSubquery ? QueryOptimizer.Of(new RewriteSubqueries()) : QueryOptimizer.Of();
            var optimised = optimizer.Optimise(frame.Plan);
            plan = optimised.ToString();
            var options = new PlannerOptions(context.DefaultParallelism) { SharedBuildBytes = mode == Mode.Partitioned ? 0 : 1 << 30 };
            var physical = new Planner(options).Plan(optimised);

            // Sizes that become known make shared joins parted, and every partition a large one.
            if (mode == Mode.Adaptive) options = options with { SharedBuildBytes = 0, LeastReadBytes = 1, PartitionBytes = 64, SkewBytes = 1, SkewFactor = 0.1 };
            using var run = new QueryRun(context, new QueryScope(session.Settings(), query.Sql));
            var frames = await QueryResult.CollectAsync(physical, run, options, default);
            actual = [.. QueryResult.RowsOf(frames, frame.Schema).Select(row => string.Join("|", row.Select((value, i) => ValueText.Of(value, row.Schema[i].Type))))];
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return $"{error.GetType().Name}: {error.Message}\n{plan}";
        }
        var expected = query.Rows.ConvertAll(row => string.Join("|", row.Select(TextOf)));
        if (!query.IsOrdered)
        {
            expected.Sort(StringComparer.Ordinal);
            actual.Sort(StringComparer.Ordinal);
        }
        return expected.SequenceEqual(actual) ? null : $"expected\n  {string.Join("\n  ", expected)}\nbut got\n  {string.Join("\n  ", actual)}\n{plan}";
    }

    private static string TextOf(object? value) => value switch
    {
        null => "NULL",
        bool flag => flag ? "true" : "false",
        long number => number.ToString(CultureInfo.InvariantCulture),
        _ => (string)value,
    };
}
