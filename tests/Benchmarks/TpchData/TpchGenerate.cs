using System.Diagnostics;
using System.Globalization;
using Dataflow.Tasks;

namespace Dataflow.Benchmarks.TpchData;

/// <summary><c>tpch-gen --sf X --out DIR [--parts N] [--csv] [--threads N] [--tables a,b]</c>: writes the tables of TPC-H, whose rows are those of dbgen.</summary>
internal static class TpchGenerate
{
    /// <summary>The word that calls for it.</summary>
    public const string Verb = "tpch-gen";

    /// <summary>Runs it.</summary>
    /// <returns>The exit code.</returns>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        var (scale, parts, threads, csv) = (0.0, 1, Environment.ProcessorCount, false);
        string? folder = null;
        IReadOnlyList<string>? names = null;
        for (var i = 0; i < arguments.Length; i++)
        {
            var value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            var isUnderstood = true;
            switch (arguments[i])
            {
                case "--csv": csv = true; continue;
                case "--sf": isUnderstood = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out scale) && scale is >= 0.0001 and < 30_000; break;
                case "--out": folder = value; break;
                case "--parts": isUnderstood = int.TryParse(value, out parts) && parts >= 1; break;
                case "--threads": isUnderstood = int.TryParse(value, out threads) && threads >= 1; break;
                case "--tables": names = value.Split(','); break;
                default: return Usage($"Unknown argument '{arguments[i]}'.");
            }
            if (!isUnderstood || value.Length == 0) return Usage($"'{value}' is no value for {arguments[i]}.");
            i++;
        }
        if (scale == 0 || folder is null) return Usage("--sf and --out are needed.");
        if (names?.FirstOrDefault(name => TpchTable.All.All(table => table.Name != name)) is { } unknown) return Usage($"There is no table '{unknown}'.");
        Write(scale, Path.GetFullPath(folder), parts, threads, csv, names);
        return 0;
    }

    // A task a file, the largest tables first.
    private static void Write(double scale, string folder, int parts, int threads, bool csv, IReadOnlyList<string>? names)
    {
        Directory.CreateDirectory(folder);
        var watch = Stopwatch.StartNew();
        var files = new List<(string Table, int Part, string Path)>();
        foreach (var table in TpchTable.All)
        {
            if (names is not null && !names.Contains(table.Name)) continue;
            if (csv && table.Name == "lineitem") files.Add((table.Name, -1, Path.Combine(folder, "lineitem.csv")));
            if (parts == 1 || table.CountAt(scale) < parts)
            {
                files.Add((table.Name, 0, Path.Combine(folder, $"{table.Name}.parquet")));
                continue;
            }
            for (var part = 0; part < parts; part++) files.Add((table.Name, part, Path.Combine(folder, table.Name, $"part-{part:D5}.parquet")));
        }
        using var context = DataflowContext.Local(DataflowOptions.Default with { Threads = threads });
        var written = context.Parallelize(files, files.Count).Map(file => WriteFile(scale, parts, file.Table, file.Part, file.Path)).Collect();
        foreach (var (table, rows) in written.GroupBy(file => file.Table).Select(group => (group.Key, group.Sum(file => file.Rows)))) Console.WriteLine($"{table,-16} {rows,14:N0} rows");
        Console.WriteLine($"scale {scale} in {watch.Elapsed.TotalSeconds:F1} s, {folder}");
    }

    private static (string Table, long Rows) WriteFile(double scale, int parts, string name, int part, string path)
    {
        var table = TpchTable.All.First(each => each.Name == name);
        var task = TaskContext.Current!;
        if (part < 0) return ($"{name}.csv", TpchFiles.WriteCsv(table, scale, path, task));
        var isWhole = path.EndsWith($"{name}.parquet", StringComparison.Ordinal);
        return (name, TpchFiles.WriteParquet(table, scale, part, isWhole ? 1 : parts, path, task));
    }

    private static int Usage(string problem)
    {
        Console.Error.WriteLine(problem);
        Console.Error.WriteLine($"usage: {Verb} --sf SCALE --out FOLDER [--parts N] [--csv] [--threads N] [--tables lineitem,orders]");
        return 2;
    }
}
