using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using System.Text;
using Dataflow.Benchmarks.Cluster;
using Dataflow.MLlib;
using Dataflow.Sql;

namespace Dataflow.Benchmarks.Ml;

/// <summary>
/// <c>ml-determinism [--rows N]</c>: trains boosted trees (plain ones; with categories, missing values, bagging and early stopping; of several classes; of bins of two bytes) and finds exact neighbours, by any
/// partitions, threads, executors, with one killed half way, and without AVX-512 and AVX2; prints the hash of what came out, which must be one.
/// </summary>
internal static class DeterminismCommand
{
    /// <summary>The word that calls for it.</summary>
    public const string Verb = "ml-determinism";

    private sealed record Sample(double A, float B, int Category, double? Hole, double Y, double Class, bool IsWatched, Vector V, long Id);

    /// <summary>Runs it.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var rows = 40_000;
        if (arguments is ["--rows", var text] && int.TryParse(text, CultureInfo.InvariantCulture, out rows) && rows >= 1000) arguments = [];
        if (arguments is ["--child", var off, var count])
        {
            // A process of its own, in which instructions are off.
            var isOff = off == "DOTNET_EnableAVX512" ? !Vector512.IsHardwareAccelerated : !Vector256.IsHardwareAccelerated;
            if (!isOff) throw new InvalidOperationException($"{off} is 0, and its instructions are still on: the run would prove nothing.");
            Console.WriteLine(await LocalAsync(int.Parse(count, CultureInfo.InvariantCulture), 2, 2).ConfigureAwait(false));
            return 0;
        }
        if (arguments.Length > 0)
        {
            Console.Error.WriteLine($"usage: {Verb} [--rows N (1000 or more)]");
            return 2;
        }

        var hashes = new List<string>();
        foreach (var threads in new[] { 1, 2 })
        {
            foreach (var partitions in new[] { 1, 2, 7 }) Note($"{threads} thread{(threads > 1 ? "s" : "")}, {partitions} partitions", await LocalAsync(rows, threads, partitions).ConfigureAwait(false));
        }
        foreach (var executors in new[] { 1, 3 })
        {
            using var workers = new LocalExecutors(executors, cores: 1);
            Note($"{executors} executor process{(executors > 1 ? "es" : "")}, 7 partitions", await HashAsync(workers.Context, rows, 7, null).ConfigureAwait(false));
        }
        using (var workers = new LocalExecutors(3, cores: 1))
        {
            var victim = workers.AnyExecutor();
            Note("3 executors, one killed half way", await HashAsync(workers.Context, rows, 7, victim.Kill).ConfigureAwait(false));
            Console.WriteLine($"    (process {victim.Id} {(victim.HasExited ? "was killed" : "still runs: nothing was proved")})");
        }
        foreach (var (set, name) in new[] { ("DOTNET_EnableAVX512", "AVX-512 off"), ("DOTNET_EnableAVX2", "AVX2 off") }) Note(name, Without(set, rows));
        var isOne = hashes.Distinct().Count() == 1;
        Console.WriteLine(isOne ? $"one hash: {hashes[0]}" : "THE RUNS DIFFER");
        return isOne ? 0 : 1;

        void Note(string name, string hash)
        {
            hashes.Add(hash);
            Console.WriteLine($"{hash}  {name}");
        }
    }

    private static async Task<string> LocalAsync(int rows, int threads, int partitions)
    {
        using var context = DataflowContext.Local(DataflowOptions.Default with { Threads = threads, Progress = false });
        return await HashAsync(context, rows, partitions, null).ConfigureAwait(false);
    }

    private static string Without(string set, int rows)
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["exec", typeof(DeterminismCommand).Assembly.Location, Verb, "--child", set, rows.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
        };
        start.Environment[set] = "0";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : $"failed with {process.ExitCode}";
    }

    private static async Task<string> HashAsync(DataflowContext context, int rows, int partitions, Action? kill)
    {
        var samples = Make(rows);
        var frame = context.FromRecords(samples, partitions);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var plain = new GradientBoostedTreesRegressor { FeatureColumns = ["A", "B", "Category", "Hole"], LabelColumn = "Y", Trees = 60, Leaves = 63, Metrics = ["rmse"], Progress = Strike };
        Add((await plain.FitAsync(frame).ConfigureAwait(false)).ToDebugText());
        var classifier = new GradientBoostedTreesClassifier
        {
            FeatureColumns = ["A", "B", "Category", "Hole"], CategoricalColumns = ["Category"], LabelColumn = "Class", Trees = 30, BaggingFraction = 0.7, FeatureFraction = 0.8,
            ValidationColumn = "IsWatched", EarlyStoppingRounds = 10, Seed = 5,
        };
        Add((await classifier.FitAsync(frame).ConfigureAwait(false)).ToDebugText());
        Add((await (plain with { MaxBins = 1023, CategoricalColumns = ["Category"], Trees = 15 }).FitAsync(frame).ConfigureAwait(false)).ToDebugText());
        Add((await (plain with { GossTopShare = 0.2, Loss = BoostingLoss.Quantile, Trees = 20 }).FitAsync(frame).ConfigureAwait(false)).ToDebugText());
        foreach (var side in new[] { BroadcastSide.Queries, BroadcastSide.Neither })
        {
            var neighbors = await new NearestNeighborsJoin { K = 5, FeatureColumns = ["V"], IdColumn = "Id", Side = side }
                .JoinAsync(context.FromRecords(samples.Take(500), partitions), frame).ConfigureAwait(false);
            var found = await neighbors.CollectAsync().ConfigureAwait(false);
            foreach (var row in found.Select(row => string.Join(',', row.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture)))).Order(StringComparer.Ordinal)) Add(row);
        }
        return Convert.ToHexString(hash.GetHashAndReset())[..16].ToLowerInvariant();

        void Strike(TreeRound round) => Interlocked.Exchange(ref kill, null)?.Invoke();

        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text));
    }

    private static Sample[] Make(int rows)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, rows).Select(i =>
        {
            var (a, b, c) = (random.NextDouble(), random.NextSingle(), random.Next(40));
            var y = Math.Sin(6 * a) + (b * (c % 7) / 5.0) + (0.1 * random.NextDouble());
            return new Sample(
                a, b, c, i % 9 == 0 ? null : a + b, y, y < 0.5 ? 0 : y < 1 ? 1 : 2, i % 5 == 0, Vector.Dense([(float)a, b, c / 40f, random.NextSingle(), random.NextSingle(), random.NextSingle()]), i);
        })];
    }
}
