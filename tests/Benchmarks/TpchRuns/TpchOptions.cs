namespace Dataflow.Benchmarks.TpchRuns;

/// <summary>What <c>tpch</c> is told.</summary>
internal sealed record TpchOptions
{
    public const string Usage =
        "usage: tpch --data DIR [--cached] [--queries FOLDER] [--results OUT] [--executors N] [--memory 4g] [--threads N] [--runs N] [--json]\n"
        + "  --data DIR       folder with TABLE.parquet files, or a folder TABLE of them for each table\n"
        + "  --cached         tables are kept in memory first\n"
        + "  --queries FOLDER runs all *.sql files of a folder; without it the 22 queries of TPC-H, whose answers are checked\n"
        + "  --results OUT    writes each query's rows to OUT/NAME.csv\n"
        + "  --executors N    runs on N executor processes of one slot each\n"
        + "  --memory SIZE    memory of the process: 512m, 4g\n"
        + "  --threads N      tasks at once (2)\n"
        + "  --runs N         timed runs of each query, after one to warm up (3)\n"
        + "  --json           one JSON object a line";

    public required string Data { get; init; }

    public bool Cached { get; init; }

    public string? Queries { get; init; }

    public string? Results { get; init; }

    public int Executors { get; init; }

    public long? MemoryBytes { get; init; }

    public int Threads { get; init; } = 2;

    public int Runs { get; init; } = 3;

    public bool Json { get; init; }

    public static TpchOptions? Parse(ReadOnlySpan<string> args)
    {
        var options = new TpchOptions { Data = "" };
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--cached": options = options with { Cached = true }; continue;
                case "--json": options = options with { Json = true }; continue;
                case "--data" when value is not null: options = options with { Data = value }; break;
                case "--queries" when value is not null: options = options with { Queries = value }; break;
                case "--results" when value is not null: options = options with { Results = value }; break;
                case "--executors" when int.TryParse(value, out var number) && number > 0: options = options with { Executors = number }; break;
                case "--threads" when int.TryParse(value, out var number) && number > 0: options = options with { Threads = number }; break;
                case "--runs" when int.TryParse(value, out var number) && number > 0: options = options with { Runs = number }; break;
                case "--memory" when BytesOf(value) is { } bytes: options = options with { MemoryBytes = bytes }; break;
                default:
                    Console.Error.WriteLine($"'{args[i]}' is not understood{(value is null ? "" : $", or not with '{value}'")}.\n{Usage}");
                    return null;
            }
            i++;
        }
        if (options.Data.Length > 0) return options;
        Console.Error.WriteLine(Usage);
        return null;
    }

    private static long? BytesOf(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        var unit = char.ToLowerInvariant(text[^1]) switch { 'k' => 1L << 10, 'm' => 1L << 20, 'g' => 1L << 30, _ => 0 };
        return unit > 0 && long.TryParse(text[..^1], out var number) && number > 0 ? number * unit : null;
    }
}
