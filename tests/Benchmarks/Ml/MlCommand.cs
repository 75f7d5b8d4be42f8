using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dataflow.MLlib;
using Dataflow.MLlib.Data;
using Dataflow.Sql;

namespace Dataflow.Benchmarks.Ml;

/// <summary>
/// <c>ml --data DIR [--only NAME]... [--json] [--no-peers] [--runs N] [--threads N]</c>: learners on arrays of NumPy (train_X, train_y, test_X, test_y; or base, query), beside scikit-learn,
/// XGBoost and faiss on the same files, one after the other.
/// </summary>
internal sealed partial class MlCommand
{
    /// <summary>The word that calls for it.</summary>
    public const string Verb = "ml";

    /// <summary>The word that a benchmark starts a process of its own with.</summary>
    public const string BudgetVerb = "ml-budget";

    private readonly string _folder;
    private readonly bool _peers;
    private readonly bool _json;
    private readonly int _runs;
    private readonly int _threads;

    private MlCommand(string folder, bool peers, bool json, int runs, int threads) => (_folder, _peers, _json, _runs, _threads) = (folder, peers, json, runs, threads);

    private static Dictionary<string, Action<MlCommand>> Parts => new(StringComparer.Ordinal)
    {
        ["gbt"] = command => command.Boosted(31),
        ["gbt-255"] = command => command.Boosted(255),
        ["executors"] = command => command.OnExecutors(),
        ["memory"] = command => command.Memory(),
        ["knn"] = command => command.Exact(),
        ["hnsw"] = command => command.Graph(),
        ["budget"] = command => command.Budget(),
        ["kmeans"] = command => command.Clusters(),
        ["pca"] = command => command.Components(),
        ["forest"] = command => command.Forest(),
        ["linear"] = command => command.Linear(),
        ["logistic"] = command => command.Logistic(),
    };

    /// <summary>Runs it.</summary>
    public static int Run(string[] arguments)
    {
        if (arguments is [BudgetVerb, var data, var slots, var budget]) return FitWithin(data, int.Parse(slots, CultureInfo.InvariantCulture), int.Parse(budget, CultureInfo.InvariantCulture));
        var (folder, peers, json, runs, threads) = ("", true, false, 3, Environment.ProcessorCount);
        var only = new List<string>();
        for (var i = 0; i < arguments.Length; i++)
        {
            var value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            switch (arguments[i])
            {
                case "--json": json = true; continue;
                case "--no-peers": peers = false; continue;
                case "--data" when Directory.Exists(value): folder = Path.GetFullPath(value); break;
                case "--only" when value.Length > 0: only.Add(value); break;
                case "--runs" when int.TryParse(value, CultureInfo.InvariantCulture, out runs) && runs > 0: break;
                case "--threads" when int.TryParse(value, CultureInfo.InvariantCulture, out threads) && threads > 0: break;
                default: return Usage($"'{arguments[i]} {value}' is not understood.");
            }
            i++;
        }
        if (folder.Length == 0) return Usage("--data is needed: a folder of .npy files (ml-gen makes such).");
        var hasVectors = File.Exists(Path.Combine(folder, "base.npy"));
        var chosen = Parts.Where(part => only.Count > 0 ? only.Exists(name => part.Key.StartsWith(name, StringComparison.Ordinal)) : hasVectors == part.Key is "knn" or "hnsw").ToArray();
        if (chosen.Length == 0) return Usage($"There is no '{string.Join(", ", only)}'.");
        var command = new MlCommand(folder, peers, json, runs, threads);
        if (!json) Console.WriteLine(MlRow.Head);
        foreach (var (_, measure) in chosen) measure(command);
        return 0;
    }

    private static int Usage(string what)
    {
        Console.Error.WriteLine($"{what}\nusage: {Verb} --data DIR [--only {string.Join('|', Parts.Keys)}]... [--json] [--no-peers] [--runs N] [--threads N]");
        return 2;
    }

    private void Write(MlRow row) => Console.WriteLine(_json ? row.ToJson() : row.ToString());

    private JsonElement? Peer(string what, params string[] more) => _peers ? MlPeer.Run(what, _folder, ["--threads", $"{_threads}", .. more]) : null;

    private string FileOf(string name) => Path.Combine(_folder, name + ".npy");

    private DataflowContext Context() => DataflowContext.Local(DataflowOptions.Default with { Threads = _threads });

    private double Best<T>(Func<T> work, out T result)
    {
        var best = double.MaxValue;
        result = default!;
        for (var i = 0; i < _runs; i++)
        {
            GC.Collect();
            var watch = Stopwatch.StartNew();
            result = work();
            best = Math.Min(best, watch.Elapsed.TotalSeconds);
        }
        return best;
    }

    private static double? Number(JsonElement? peer, string name) => peer is { } found && found.TryGetProperty(name, out var value) ? value.GetDouble() : null;

    private static string Name(JsonElement? peer) => peer?.GetProperty("peer").GetString() ?? "";

    private static string Pair(string name, double ours, double? theirs, string format = "F5") =>
        string.Create(CultureInfo.InvariantCulture, $"{name} {ours.ToString(format, CultureInfo.InvariantCulture)}; {theirs?.ToString(format, CultureInfo.InvariantCulture) ?? "-"}");

    private (DataFrame Train, DataFrame Test, ValueList<string> Features) Frames(DataflowContext context)
    {
        var train = context.Read.Npy(FileOf("train_X"), new() { Labels = FileOf("train_y") });
        var test = context.Read.Npy(FileOf("test_X"), new() { Labels = FileOf("test_y") });
        return (train, test, [.. train.Columns.Where(name => name != "label")]);
    }

    private void Linear()
    {
        using var context = Context();
        var (train, test, features) = Frames(context);
        train = train.Cache();
        train.Count();
        var seconds = Best(() => new LinearRegression { FeatureColumns = features }.Fit(train), out var model);
        var rmse = new RegressionEvaluator().Evaluate(model.Transform(test));
        var peer = Peer("linear");
        Write(new MlRow("linear regression", "s", seconds, Number(peer, "seconds"), Name(peer), Pair("RMSE", rmse, Number(peer, "rmse"))));
    }

    private void Logistic()
    {
        using var context = Context();
        var (train, test, features) = Frames(context);
        train = train.Cache();
        var rows = train.Count();
        var seconds = Best(() => new LogisticRegression { FeatureColumns = features, Regularization = 1.0 / rows, Tolerance = 1e-5 }.Fit(train), out var model);
        var metrics = new BinaryClassificationEvaluator().Measure(model.Transform(test));
        var peer = Peer("logistic");
        Write(new MlRow("logistic regression", "s", seconds, Number(peer, "seconds"), Name(peer), $"{Pair("AUC", metrics.AreaUnderRoc, Number(peer, "auc"))}, {Pair("log loss", metrics.LogLoss, Number(peer, "log_loss"))}"));
    }

    private void Clusters()
    {
        using var context = Context();
        var (train, _, features) = Frames(context);
        var scaled = new StandardScaler { InputColumns = features }.Fit(train).Transform(train).Select(Functions.Col("scaled")).Cache();
        var rows = scaled.Count();
        var learner = new KMeans { FeaturesColumn = "scaled", Clusters = 100, MaxIterations = 10, Tolerance = 0, Start = KMeansStart.Random, Seed = 3 };
        var seconds = Best(() => learner.Fit(scaled), out var model);
        var peer = Peer("kmeans");
        Write(new MlRow($"k-means, k=100, 10 iterations", "s", seconds, Number(peer, "seconds"), Name(peer), Pair("cost of a row", model.Cost(scaled) / rows, Number(peer, "inertia") / rows)));
    }

    private void Components()
    {
        using var context = Context();
        var (train, _, features) = Frames(context);
        var scaled = new StandardScaler { InputColumns = features }.Fit(train).Transform(train).Select(Functions.Col("scaled")).Cache();
        scaled.Count();
        var seconds = Best(() => new Pca { InputColumns = ["scaled"], Components = 10 }.Fit(scaled), out var model);
        var peer = Peer("pca");
        Write(new MlRow("PCA, 10 components", "s", seconds, Number(peer, "seconds"), Name(peer), Pair("explained", model.ExplainedShare.ToArray().Sum(), Number(peer, "explained"))));
    }

    private void Exact()
    {
        var (rows, queries, k) = Vectors();
        var model = new NearestNeighbors { K = k, Algorithm = NeighborAlgorithm.BruteForce }.Fit(rows.Values, rows.Columns);
        var seconds = Best(() => model.SearchMany(queries.Values), out var found);
        var peer = Peer("knn", "--k", $"{k}");
        Write(new MlRow($"exact {rows.Values.Length / rows.Columns} x {rows.Columns}, k={k}", "s", seconds, Number(peer, "seconds"), Name(peer), $"{found.Length:N0} queries"));
    }

    private void Graph()
    {
        var (rows, queries, k) = Vectors();
        var watch = Stopwatch.StartNew();
        var model = new NearestNeighbors { K = k, Algorithm = NeighborAlgorithm.Hnsw, M = 32, EfConstruction = 200 }.Fit(rows.Values, rows.Columns);
        var build = watch.Elapsed.TotalSeconds;
        foreach (var ef in new[] { 16, 32, 64, 128 })
        {
            var breadth = model with { EfSearch = ef };
            var seconds = Best(() => breadth.SearchMany(queries.Values), out _);
            var recall = breadth.Recall(queries.Values);
            var peer = Peer("hnsw", "--k", $"{k}", "--ef", $"{ef}");
            if (ef == 16) Write(new MlRow("HNSW build (M=32, ef=200)", "s", build, Number(peer, "build"), Name(peer), ""));
            Write(new MlRow($"HNSW search, ef={ef}", "1/s", queries.Values.Length / queries.Columns / seconds, Number(peer, "queries_per_second"), Name(peer), Pair("recall", recall, Number(peer, "recall"), "F4")));
        }
    }

    private ((float[] Values, int Columns) Rows, (float[] Values, int Columns) Queries, int K) Vectors() => File.Exists(FileOf("base"))
        ? (Npy.ReadAs<float>(FileOf("base")), Npy.ReadAs<float>(FileOf("query")), 10)
        : (Npy.ReadAs<float>(FileOf("train_X")), Npy.ReadAs<float>(FileOf("test_X")), 3);
}
