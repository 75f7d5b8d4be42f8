using System.Diagnostics;
using System.Globalization;
using Dataflow.Benchmarks.TpchRuns;
using Dataflow.Sql;

namespace Dataflow.Benchmarks.SqlMicro;

/// <summary><c>sql-plan</c>: how long it takes to parse, analyse and optimise each query of TPC-H, warm; must be 3 ms at most, the goal is 1 ms.</summary>
internal static class PlanCommand
{
    public const string Verb = "sql-plan";

    private static readonly string[] Tables = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"];

    /// <summary>Runs it over a folder of TPC-H's files.</summary>
    public static int Run(ReadOnlySpan<string> args)
    {
        var data = args.Length > 1 ? args[1] : throw new ArgumentException("usage: sql-plan DIR");
        var rules = args.Contains("--rules");
        using var context = DataflowContext.Local(threads: 1);
        foreach (var table in Tables) context.Read.Parquet(Path.Combine(data, table + ".parquet")).CreateTempView(table);
        Console.WriteLine($"{"query",-8}{"parse+analyse",16}{"optimise",12}{"sum",12}  (ms, best of 100)");
        foreach (var file in Directory.GetFiles(Path.Combine(Repository.Root, "tests/Benchmarks/tpch"), "q??.sql").Order(StringComparer.Ordinal))
        {
            var text = File.ReadAllText(file);
            var (bind, optimise) = (double.MaxValue, double.MaxValue);
            for (var i = 0; i < 100; i++)
            {
                var start = Stopwatch.GetTimestamp();
                var frame = context.Sql(text);
                var middle = Stopwatch.GetTimestamp();
                frame.Session.Optimise(frame.Plan);
                bind = Math.Min(bind, Stopwatch.GetElapsedTime(start, middle).TotalMilliseconds);
                optimise = Math.Min(optimise, Stopwatch.GetElapsedTime(middle).TotalMilliseconds);
            }
            if (rules) Rules(context.Sql(text));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(file),-8}{bind,16:N3}{optimise,12:N3}{bind + optimise,12:N3}"));
        }
        return 0;
    }

    // How long each rule takes, in the order of their first change.
    private static void Rules(DataFrame frame)
    {
        var best = new Dictionary<string, double>();
        for (var i = 0; i < 30; i++)
        {
            var last = Stopwatch.GetTimestamp();
            var number = 0;
            frame.Session.Optimizer.Optimise(frame.Plan, (name, _) =>
            {
                var key = $"{++number} {name}";
                var time = Stopwatch.GetElapsedTime(last).TotalMilliseconds;
                best[key] = Math.Min(best.GetValueOrDefault(key, double.MaxValue), time);
                last = Stopwatch.GetTimestamp();
            });
        }
        Console.WriteLine(string.Join(", ", best.Select(each => string.Create(CultureInfo.InvariantCulture, $"{each.Key} {each.Value:N2}"))));
    }
}
