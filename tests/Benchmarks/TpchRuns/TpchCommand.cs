using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dataflow.Sql;

namespace Dataflow.Benchmarks.TpchRuns;

/// <summary><c>tpch</c>: times queries over a folder of tables, one line a query, and checks the answers of TPC-H.</summary>
internal static class TpchCommand
{
    public const string Verb = "tpch";

    public static async Task<int> RunAsync(string[] args)
    {
        if (TpchOptions.Parse(args) is not { } options) return 2;
        var tables = TablesOf(options.Data);
        var folder = options.Queries ?? Path.Combine(Repository.Root, "tests", "Benchmarks", "tpch");
        var queries = Directory.GetFiles(folder, "*.sql").Order(StringComparer.Ordinal).ToArray();
        if (tables.Count == 0 || queries.Length == 0)
        {
            Console.Error.WriteLine(tables.Count == 0 ? $"There are no Parquet tables in '{options.Data}'." : $"There are no .sql files in '{folder}'.");
            return 2;
        }
        if (options.Results is not null) Directory.CreateDirectory(options.Results);
        await using var run = await TpchRun.StartAsync(options).ConfigureAwait(false);
        foreach (var (name, path) in tables) await run.AddAsync(name, path, options.Cached).ConfigureAwait(false);
        var answers = options.Queries is null ? await AnswersFor(run.Context).ConfigureAwait(false) : null;
        if (!options.Json) Console.WriteLine("query    median      min      max     rows  answer");
        var (sum, logs, wrong, failed) = (0.0, 0.0, 0, 0);
        foreach (var query in queries)
        {
            var name = Path.GetFileNameWithoutExtension(query);
            try
            {
                var (times, schema, rows) = await TimesOf(run.Context, await File.ReadAllTextAsync(query).ConfigureAwait(false), options.Runs).ConfigureAwait(false);
                if (options.Results is not null) TpchAnswers.Write(schema, rows, Path.Combine(options.Results, name + ".csv"));
                var difference = answers is null ? null : TpchAnswers.Difference(rows, Path.Combine(answers, name + ".csv"));
                if (difference is not null) wrong++;
                var median = times[times.Length / 2];
                sum += median;
                logs += Math.Log(median);
                Print(options, name, times, rows.Count, answers is null ? "" : difference ?? "right");
            }
            catch (Exception error) when (error is DataflowException or OperationCanceledException)
            {
                failed++;
                Console.WriteLine(options.Json ? JsonSerializer.Serialize(new { query = name, error = error.Message }) : $"{name}  failed: {error.Message}");
            }
        }
        var done = queries.Length - failed;
        var mean = done == 0 ? 0 : Math.Exp(logs / done);
        Console.WriteLine(options.Json
            ? JsonSerializer.Serialize(new { total_ms = sum, geometric_mean_ms = mean, queries = done, wrong, failed, peak_mb = PeakMegabytes() })
            : $"total {sum:F0} ms (sum of medians), geometric mean {mean:F1} ms, {done} queries, {wrong} wrong, {failed} failed, peak {PeakMegabytes():F0} MB");
        return wrong + failed == 0 ? 0 : 1;
    }

    private static List<(string Name, string Path)> TablesOf(string folder)
    {
        if (!Directory.Exists(folder)) return [];
        var files = Directory.GetFiles(folder, "*.parquet").Select(path => (Path.GetFileNameWithoutExtension(path), path));
        var folders = Directory.GetDirectories(folder).Where(path => Directory.EnumerateFiles(path, "*.parquet").Any()).Select(path => (Path.GetFileName(path), path));
        return [.. files.Concat(folders).DistinctBy(table => table.Item1).OrderBy(table => table.Item1, StringComparer.Ordinal)];
    }

    // By the size of lineitem: answers are stored for three scales.
    private static async Task<string?> AnswersFor(DataflowContext context)
    {
        var rows = (long)(await context.Sql("SELECT count(*) FROM lineitem").CollectAsync().ConfigureAwait(false))[0][0]!;
        var scale = rows switch { 60_175 => "sf0.01", 600_572 => "sf0.1", 6_001_215 => "sf1", _ => null };
        return scale is null ? null : Path.Combine(Repository.Root, "tests", "data", "tpch", "answers", scale);
    }

    private static async Task<(double[] Times, Schema Schema, IReadOnlyList<Row> Rows)> TimesOf(DataflowContext context, string text, int runs)
    {
        var times = new double[runs];
        IReadOnlyList<Row> rows = [];
        Schema schema = new();
        for (var i = -1; i < runs; i++)
        {
            var watch = Stopwatch.StartNew();
            var frame = context.Sql(text);
            rows = await frame.CollectAsync().ConfigureAwait(false);
            schema = frame.Schema;
            if (i >= 0) times[i] = watch.Elapsed.TotalMilliseconds;
        }
        Array.Sort(times);
        return (times, schema, rows);
    }

    private static void Print(TpchOptions options, string name, double[] times, int rows, string answer) => Console.WriteLine(options.Json
        ? JsonSerializer.Serialize(new { query = name, median_ms = times[times.Length / 2], min_ms = times[0], max_ms = times[^1], rows, answer })
        : string.Create(CultureInfo.InvariantCulture, $"{name,-6} {times[times.Length / 2],8:F1} {times[0],8:F1} {times[^1],8:F1} {rows,8}  {answer}"));

    private static double PeakMegabytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / 1048576.0;
    }
}
