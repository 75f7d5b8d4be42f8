using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dataflow.Sql;

namespace Dataflow.Benchmarks.SqlMicro;

/// <summary><c>sql-micro</c>: times single operators over files and over rows made from their number, one line each, to run beside a peer's of the same names.</summary>
internal static class SqlMicroCommand
{
    public const string Verb = "sql-micro";

    private const string Usage =
        "usage: sql-micro --data DIR [--only NAME,NAME] [--threads N] [--runs N] [--rows N] [--json]\n"
        + "  --data DIR   folder with lineitem.parquet and, for csv, lineitem.csv (tpch-gen --sf 1 --csv --out DIR)\n"
        + "  --only NAMES cases whose names begin so\n"
        + "  --threads N  tasks at once (2)\n"
        + "  --runs N     timed runs of each, after one to warm up (3)\n"
        + "  --rows N     rows of what is grouped, joined and sorted (10,000,000)\n"
        + "  --json       one JSON object a line";

    public static async Task<int> RunAsync(string[] args)
    {
        var (data, only, threads, runs, rows, json) = ("", Array.Empty<string>(), 2, 3, 10_000_000L, false);
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--json": json = true; continue;
                case "--data" when value.Length > 0: data = value; break;
                case "--only" when value.Length > 0: only = value.Split(',', StringSplitOptions.RemoveEmptyEntries); break;
                case "--threads" when int.TryParse(value, out threads) && threads > 0: break;
                case "--runs" when int.TryParse(value, out runs) && runs > 0: break;
                case "--rows" when long.TryParse(value, out rows) && rows > 0: break;
                default:
                    Console.Error.WriteLine($"'{args[i]}' is not understood{(value.Length == 0 ? "" : $", or not with '{value}'")}.\n{Usage}");
                    return 2;
            }
            i++;
        }
        if (data.Length == 0)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }
        if (!json) Console.WriteLine("case                  median     min     max (ms)  first row");
        var failed = 0;
        foreach (var each in SqlMicroCases.All)
        {
            if (only.Length > 0 && !only.Any(name => each.Name.StartsWith(name, StringComparison.Ordinal))) continue;
            try
            {
                await MeasureAsync(each, Path.GetFullPath(data), rows, threads, runs, json).ConfigureAwait(false);
            }
            catch (DataflowException error)
            {
                failed++;
                Console.WriteLine(json ? JsonSerializer.Serialize(new { name = each.Name, error = error.Message }) : $"{each.Name}  failed: {error.Message}");
            }
        }
        return failed == 0 ? 0 : 1;
    }

    private static async Task MeasureAsync(SqlMicroCase each, string data, long rows, int threads, int runs, bool json)
    {
        await using var context = DataflowContext.Local(DataflowOptions.Default with { Threads = threads, Progress = false });
        each.Prepare(context, data, rows);
        var (times, cpu) = (new double[runs], 0.0);
        var first = "";
        for (var i = -1; i < runs; i++)
        {
            var watch = Stopwatch.StartNew();
            var before = Environment.CpuUsage.TotalTime;
            first = await each.Run(context, data, rows).ConfigureAwait(false);
            if (i < 0) continue;
            times[i] = watch.Elapsed.TotalMilliseconds;
            cpu += (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
        }
        Array.Sort(times);
        Console.WriteLine(json
            ? JsonSerializer.Serialize(new { name = each.Name, median_ms = times[runs / 2], min_ms = times[0], max_ms = times[^1], cpu_ms = cpu / runs, first })
            : string.Create(CultureInfo.InvariantCulture, $"{each.Name,-20} {times[runs / 2],7:F0} {times[0],7:F0} {times[^1],7:F0}  cpu {cpu / runs,6:F0}  {first[..Math.Min(60, first.Length)]}"));
    }
}
