using System.Diagnostics;
using System.Globalization;
using Dataflow.Benchmarks.Cluster;
using Dataflow.MLlib;
using Dataflow.MLlib.Data;
using Dataflow.MLlib.TreeBins;
using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;
using Dataflow.Sql;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.Benchmarks.Ml;

// Boosted trees: the trainer alone on arrays in memory, as the peer has them, and whole fits of frames.
internal sealed partial class MlCommand
{
    private void Boosted(int leaves)
    {
        const int Trees = 100;
        var (values, columns) = Npy.ReadAs<float>(FileOf("train_X"));
        var labels = Npy.ReadAs<float>(FileOf("train_y")).Values;
        var categorical = Categories(columns);
        var (bins, train) = (double.MaxValue, double.MaxValue);
        TreeEnsemble? ensemble = null;
        for (var run = 0; run < _runs; run++)
        {
            GC.Collect();
            var watch = Stopwatch.StartNew();
            using var team = new ThreadTeam(_threads);
            RowSource[] blocks = [new DenseRows(values, columns) { FirstRow = 0, Rows = labels.Length }];
            var mappers = BinSample.Find(blocks, categorical, 255, 200_000, team, LoneTreeGroup.Instance);
            using var shard = new TreeShard { Rows = BinnedRows.Of(blocks, BinLayout.Of(mappers), team, LoneTreeGroup.Instance), Labels = labels };
            bins = Math.Min(bins, watch.Elapsed.TotalSeconds);
            watch.Restart();
            var options = new TreeTrainingOptions { Objective = new BinaryObjective(), Iterations = Trees, Growth = new GrowthOptions { Leaves = leaves } };
            using var training = new TreeTraining(options, shard, team, LoneTreeGroup.Instance);
            while (training.Trees.Count < Trees && training.Iterate()) { }
            train = Math.Min(train, watch.Elapsed.TotalSeconds);
            ensemble = new TreeEnsemble(training.Trees, columns, 1, options.Objective.Text);
        }
        var (test, _) = Npy.ReadAs<float>(FileOf("test_X"));
        var testLabels = Npy.ReadAs<float>(FileOf("test_y")).Values;
        var predictor = new TreePredictor(ensemble!);
        var scores = new double[testLabels.Length];
        var predict = Best(() => Predict(predictor, test, columns, scores), out _);
        var (auc, loss) = Quality(scores, testLabels);
        var peer = Peer("gbt", "--leaves", $"{leaves}", "--trees", $"{Trees}", "--repeat", $"{Math.Min(2, _runs)}");
        var quality = $"{Pair("AUC", auc, Number(peer, "auc"))}, {Pair("log loss", loss, Number(peer, "log_loss"))}";
        var shape = string.Create(CultureInfo.InvariantCulture, $"{labels.Length / 1000}k x {columns}");
        Write(new MlRow($"GBT bins, {shape}", "s", bins, Number(peer, "bins"), Name(peer), ""));
        Write(new MlRow($"GBT train, {shape}, {leaves} leaves", "s", train, Number(peer, "train"), Name(peer), quality));
        Write(new MlRow($"GBT predict {testLabels.Length / 1000}k, {leaves} leaves", "s", predict, Number(peer, "predict"), Name(peer), ""));
        Write(new MlRow($"GBT one row, {leaves} leaves", "us", OneRow(predictor, test, columns), null, "", ""));
        if (leaves == 31) Fitted(shape, Number(peer, "bins") + Number(peer, "train"), Name(peer));
    }

    // A whole fit of a frame: reading the file, loading, binning, training.
    private void Fitted(string shape, double? theirs, string name)
    {
        using var context = Context();
        var (train, test, features) = Frames(context);
        var categorical = Categories(features.Count);
        var learner = new GradientBoostedTreesClassifier { FeatureColumns = features, CategoricalColumns = [.. features.Where((_, i) => categorical[i])] };
        var seconds = Best(() => learner.Fit(train), out var model);
        var auc = new BinaryClassificationEvaluator().Evaluate(model.Transform(test));
        Write(new MlRow($"GBT fit of a frame, {shape}", "s", seconds, theirs, name, Pair("AUC", auc, null)));
    }

    // The same fit on two executor processes of one slot each.
    private void OnExecutors()
    {
        TreeEnsembleModel local;
        double alone;
        using (var context = Context())
        {
            var (train, _, features) = Frames(context);
            alone = Best(() => new GradientBoostedTreesClassifier { FeatureColumns = features }.Fit(train), out var model);
            local = model;
        }
        using var workers = new LocalExecutors(2, cores: 1);
        var (far, _, names) = Frames(workers.Context);
        var seconds = Best(() => new GradientBoostedTreesClassifier { FeatureColumns = names }.Fit(far), out var distributed);
        var same = distributed.ToDebugText() == local.ToDebugText() ? "same bits" : "OTHER BITS";
        Write(new MlRow("GBT fit, 2 executor processes", "s", seconds, alone, "one process, 2 threads", same));
    }

    // The most private memory of a process that only fits, above what it had before: the file is read in pieces.
    private void Memory()
    {
        var peer = Peer("gbt", "--repeat", "1");
        using var context = Context();
        var (train, _, features) = Frames(context);
        new GradientBoostedTreesClassifier { FeatureColumns = features, Trees = 1 }.Fit(train.Limit(1000));
        GC.Collect();
        var before = PrivateBytes();
        var (most, ends) = (before, false);
        var watcher = new Thread(() =>
        {
            while (!Volatile.Read(ref ends))
            {
                most = Math.Max(most, PrivateBytes());
                Thread.Sleep(5);
            }
        });
        watcher.Start();
        new GradientBoostedTreesClassifier { FeatureColumns = features }.Fit(train);
        Volatile.Write(ref ends, true);
        watcher.Join();
        Write(new MlRow("GBT peak memory above the start", "MB", (most - before) / (double)(1 << 20), Number(peer, "extra_mb"), Name(peer), "private; the peer above its input"));
    }

    // As the peer: 20 trees, 12 levels, 100,000 rows.
    private void Forest()
    {
        using var context = Context();
        var (train, test, features) = Frames(context);
        var rows = train.Limit(100_000).Cache();
        rows.Count();
        var seconds = Best(() => new RandomForestClassifier { FeatureColumns = features, Trees = 20, MaxDepth = 12, Seed = 1 }.Fit(rows), out var model);
        var auc = new BinaryClassificationEvaluator().Evaluate(model.Transform(test));
        var peer = Peer("forest");
        Write(new MlRow("random forest, 20 trees, 100k rows", "s", seconds, Number(peer, "seconds"), Name(peer), Pair("AUC", auc, Number(peer, "auc"))));
    }

    // The same fit in two processes of their own: one with 512 MB for everything.
    private void Budget()
    {
        var (whole, expected, _) = Child(0);
        var (seconds, found, peak) = Child(512);
        Write(new MlRow("GBT fit with 512 MB", "s", seconds, whole, "all in memory", $"{(found == expected ? "same bits" : "OTHER BITS")}, peak {peak} MB private"));
    }

    private (double Seconds, string Hash, string Peak) Child(int budget)
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["exec", typeof(MlCommand).Assembly.Location, BudgetVerb, _folder, $"{_threads}", $"{budget}"])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd().Trim().Split('\n')[^1].Split(' ');
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"The fit with {budget} MB ended with {process.ExitCode}.");
        return (double.Parse(output[0], CultureInfo.InvariantCulture), output[1], output[2]);
    }

    /// <summary>What <c>budget</c> starts: a fit with a memory budget in MB (0 for the default); prints seconds, a hash of the model, and the greatest private memory in MB.</summary>
    public static int FitWithin(string folder, int threads, int budget)
    {
        var options = DataflowOptions.Default with { Threads = threads, Progress = false };
        using var context = DataflowContext.Local(budget > 0 ? options with { MemoryBytes = (long)budget << 20 } : options);
        var command = new MlCommand(folder, peers: false, json: false, runs: 1, threads);
        var (train, _, features) = command.Frames(context);
        var most = 0L;
        using var watcher = new Timer(_ => most = Math.Max(most, PrivateBytes()), null, 0, 5);
        var seconds = command.Best(() => new GradientBoostedTreesClassifier { FeatureColumns = features }.Fit(train), out var model);
        var hash = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(model.ToDebugText())))[..16];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds:F3} {hash} {most >> 20}"));
        return 0;
    }

    private static long PrivateBytes()
    {
        const string Label = "RssAnon:";
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(Label, StringComparison.Ordinal));
        return long.Parse(line[Label.Length..^" kB".Length], CultureInfo.InvariantCulture) << 10;
    }

    private bool Predict(TreePredictor predictor, float[] rows, int columns, double[] scores)
    {
        var parts = _threads * 4;
        Parallel.For(0, parts, new ParallelOptions { MaxDegreeOfParallelism = _threads }, part =>
        {
            var (first, end) = ((int)((long)scores.Length * part / parts), (int)((long)scores.Length * (part + 1) / parts));
            predictor.Outputs(rows.AsSpan(first * columns, (end - first) * columns), columns, end - first, scores.AsSpan(first, end - first));
        });
        return true;
    }

    private static double OneRow(TreePredictor predictor, float[] rows, int columns)
    {
        Span<double> output = stackalloc double[1];
        var best = double.MaxValue;
        for (var run = 0; run < 5; run++)
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < 20_000; i++) predictor.Outputs(rows.AsSpan(i % 1000 * columns, columns), output);
            best = Math.Min(best, watch.Elapsed.TotalMicroseconds / 20_000);
        }
        return best;
    }

    private bool[] Categories(int columns)
    {
        var categorical = new bool[columns];
        var file = Path.Combine(_folder, "categorical.txt");
        if (File.Exists(file)) foreach (var column in File.ReadAllText(file).Split(',')) categorical[int.Parse(column, CultureInfo.InvariantCulture)] = true;
        return categorical;
    }

    private static (double Auc, double LogLoss) Quality(double[] probabilities, float[] labels)
    {
        var order = new int[labels.Length];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        var keys = (double[])probabilities.Clone();
        Array.Sort(keys, order);
        double ranks = 0, positive = 0, loss = 0;
        for (var start = 0; start < order.Length;)
        {
            var end = start;
            while (end < order.Length && keys[end] == keys[start]) end++;
            for (var i = start; i < end; i++)
            {
                if (labels[order[i]] <= 0) continue;
                ranks += (start + end + 1) / 2.0;
                positive++;
            }
            start = end;
        }
        for (var i = 0; i < labels.Length; i++)
        {
            var p = Math.Clamp(probabilities[i], 1e-15, 1 - 1e-15);
            loss -= Math.Log(labels[i] > 0 ? p : 1 - p);
        }
        return ((ranks - (positive * (positive + 1) / 2)) / (positive * (labels.Length - positive)), loss / labels.Length);
    }
}
