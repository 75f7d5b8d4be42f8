using System.Diagnostics;
using System.Globalization;
using Dataflow.Sql;

namespace Dataflow.Benchmarks.SqlMicro;

/// <summary><c>sql-udf</c>: lambdas of C# beside the same built-in expressions, over rows made from their number, on one thread; in processor time, so that others may use the machine.</summary>
internal static class UdfCommand
{
    public const string Verb = "sql-udf";

    private static readonly (string Name, string BuiltIn, string Lambda)[] Cases =
    [
        ("arithmetic", "sum(id * 3 + 7)", "sum(arithmetic(id))"),
        ("arithmetic of two", "sum(id * 3 + id % 1024)", "sum(two(id, id % 1024))"),
        ("case, numbers", "sum(CASE WHEN id % 10 < 3 THEN 1L WHEN id % 10 < 7 THEN 20L ELSE 300L END)", "sum(pick(id))"),
        ("case, text", "sum(length(CASE WHEN id % 10 < 3 THEN 'small' WHEN id % 10 < 7 THEN 'medium' ELSE 'quite large' END))", "sum(length(name(id)))"),
        ("math", "sum(sqrt(CAST(id AS DOUBLE)) + sin(CAST(id AS DOUBLE)))", "sum(math(CAST(id AS DOUBLE)))"),
        ("math, pow and exp", "sum(power(CAST(id AS DOUBLE), 0.25) + exp(-CAST(id AS DOUBLE) / 1e9))", "sum(powers(CAST(id AS DOUBLE)))"),
        ("text, length", "sum(length(CAST(id AS STRING)))", "sum(len(CAST(id AS STRING)))"),
        ("text, upper", "sum(length(upper(concat('row ', CAST(id AS STRING)))))", "sum(length(upcase(concat('row ', CAST(id AS STRING)))))"),
        ("text, replace", "sum(length(replace(CAST(id AS STRING), '1', 'one')))", "sum(length(ones(CAST(id AS STRING))))"),
    ];

    /// <summary>Runs it.</summary>
    public static int Run(ReadOnlySpan<string> args)
    {
        var rows = args.Length > 1 ? long.Parse(args[1], CultureInfo.InvariantCulture) : 100_000_000;
        using var context = DataflowContext.Local(threads: 1);
        context.RegisterFunction("arithmetic", (long x) => (x * 3) + 7);
        context.RegisterFunction("two", (long x, long y) => (x * 3) + y);
        context.RegisterFunction("pick", (long x) => x % 10 < 3 ? 1L : x % 10 < 7 ? 20L : 300L);
        context.RegisterFunction("name", (long x) => x % 10 < 3 ? "small" : x % 10 < 7 ? "medium" : "quite large");
        context.RegisterFunction("math", (double x) => Math.Sqrt(x) + Math.Sin(x));
        context.RegisterFunction("powers", (double x) => Math.Pow(x, 0.25) + Math.Exp(-x / 1e9));
        context.RegisterFunction("len", (string x) => x.Length);
        context.RegisterFunction("upcase", (string x) => x.ToUpperInvariant());
        context.RegisterFunction("ones", (string x) => x.Replace("1", "one", StringComparison.Ordinal));
        var nothing = Best(context, $"SELECT sum(id) FROM range({rows})", out _);
        Console.WriteLine($"{rows:N0} rows, one thread, processor time; sum(id) alone takes {nothing:N0} ms");
        Console.WriteLine($"{"case",-20}{"built in",12}{"lambda",12}{"ratio",8}{"rows/s",16}");
        foreach (var (name, builtIn, lambda) in Cases)
        {
            var few = name.StartsWith("text", StringComparison.Ordinal) ? rows / 10 : rows;
            var ours = Best(context, $"SELECT {builtIn} FROM range({few})", out var expected);
            var theirs = Best(context, $"SELECT {lambda} FROM range({few})", out var got);
            var differs = expected == got ? "" : $"   differs: {expected}, {got}";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-20}{ours,9:N0} ms{theirs,9:N0} ms{theirs / ours,8:N2}{few / theirs * 1000,16:N0}{differs}"));
        }
        return 0;
    }

    private static double Best(DataflowContext context, string query, out string answer)
    {
        var best = double.MaxValue;
        answer = "";
        for (var i = 0; i < 3; i++)
        {
            var process = Process.GetCurrentProcess();
            var before = process.TotalProcessorTime;
            answer = context.Sql(query).Collect()[0].TextOf(0);
            process.Refresh();
            best = Math.Min(best, (process.TotalProcessorTime - before).TotalMilliseconds);
        }
        return best;
    }
}
