// Who earns more than 50,000? Boosted trees on a census with categories and missing answers: fitted in a pipeline, judged, saved, loaded, and asked row by row.
using System.Diagnostics;
using Dataflow;
using Dataflow.Examples;
using Dataflow.Examples.CensusIncome;
using Dataflow.MLlib;
using Dataflow.Sql;

var arguments = new Arguments(args, """
    Usage: CensusIncome [PATH] [--people N] [--plots FOLDER]

      PATH      a CSV file with the columns of the made-up census; without it, one is made
      --people  how many people are made up (default: 30000)
      --plots   where learning.svg, roc.svg, confusion.svg and importance.svg are written (default: plots/census in the working folder)
    """);
var plots = arguments.Text("--plots") ?? Path.Combine("plots", "census");
var folder = Directory.CreateTempSubdirectory("census-");
try
{
    var path = arguments.Paths ?? Path.Combine(folder.FullName, "census.csv");
    if (arguments.Paths is null) Census.Write(path, arguments.Number("--people", 30_000), seed: 1);

    using var context = DataflowContext.Local();
    var people = context.Read.Csv(path, new CsvOptions { HasHeader = true }).WithColumn("label", Functions.Expr("CASE WHEN income = '>50K' THEN 1 ELSE 0 END"));
    if (people.RandomSplit([0.6, 0.2, 0.2], seed: 5) is not [var train, var watched, var test]) return 1;

    // Texts become numbers; unknown and missing ones a number of their own.
    ValueList<string> texts = ["workclass", "education", "occupation", "marital_status"];
    ValueList<string> codes = texts.ConvertAll(text => text + "_code");
    var codesOfTexts = new StringIndexer { InputColumns = texts, OutputColumns = codes, HandleInvalid = InvalidValues.Keep };
    ValueList<string> features = [.. codes, "age", "hours_per_week", "capital_gain"];

    // Rounds are added until the loss of people it does not learn from has not fallen for 20 rounds.
    var rounds = new List<TreeRound>();
    var trees = new GradientBoostedTreesClassifier
    {
        FeatureColumns = features,
        CategoricalColumns = codes,
        ValidationColumn = "is_watched",
        EarlyStoppingRounds = 20,
        Metrics = ["binary_logloss"],
        Trees = 500,
        Leaves = 15,
        LearningRate = 0.05,
        Progress = rounds.Add,
    };
    var clock = Stopwatch.StartNew();
    var model = new Pipeline(codesOfTexts, trees).Fit(train.WithColumn("is_watched", Functions.Lit(false)).Union(watched.WithColumn("is_watched", Functions.Lit(true))));
    var fitted = clock.Elapsed;
    var linear = new Pipeline(
        codesOfTexts, new OneHotEncoder { InputColumns = codes, OutputColumns = texts.ConvertAll(text => text + "_hot"), HandleInvalid = InvalidValues.Keep },
        new Imputer { InputColumns = ["hours_per_week"], OutputColumns = ["hours"], Strategy = ImputerStrategy.Median },
        new LogisticRegression { FeatureColumns = [.. texts.ConvertAll(text => text + "_hot"), "age", "hours", "capital_gain"] }).Fit(train);

    var boosted = model.Stage<GradientBoostedTreesClassificationModel>();
    Console.WriteLine($"{rounds.Count} rounds in {fitted.TotalSeconds:F1} s, {boosted.Ensemble.BestIteration} kept");
    Console.WriteLine($"{"learner",-22}{"AUC",10}{"log loss",10}{"accuracy",10}{"F1",10}");
    var byTrees = Judge("boosted trees", model);
    var byLine = Judge("logistic regression", linear);

    var curves = Plot.Lines(new("learned from", rounds.Select(round => round.TrainingMetric ?? double.NaN)), new("watched", rounds.Select(round => round.ValidationMetric ?? double.NaN)));
    (curves with { Title = "Learning curve", XLabel = "round", YLabel = "log loss" }).Save(Path.Combine(plots, "learning.svg"));
    Plot.Roc(("boosted trees", byTrees.Binary), ("logistic regression", byLine.Binary)).Save(Path.Combine(plots, "roc.svg"));
    Plot.ConfusionMatrix(byTrees.Classes, ["up to 50K", "more"]).Save(Path.Combine(plots, "confusion.svg"));
    (Plot.Bars([.. boosted.FeatureImportances().OrderByDescending(each => each.Importance)]) with { Title = "What the trees look at", XLabel = "gain" }).Save(Path.Combine(plots, "importance.svg"));
    Console.WriteLine($"Plots: {Path.GetFullPath(plots)}");

    // As a web service would: loaded once, asked row by row, from any number of threads, without a context.
    var saved = Path.Combine(folder.FullName, "model");
    model.Save(saved);
    var served = PipelineModel.Load(saved).Stage<GradientBoostedTreesClassificationModel>();
    double[] row = [0, 1, 2, 0, 45, 50, 0];
    var probabilities = new double[2];
    for (var i = 0; i < 10_000; i++) served.PredictProbabilities(row, probabilities);
    clock.Restart();
    for (var i = 0; i < 100_000; i++) served.PredictProbabilities(row, probabilities);
    Console.WriteLine($"One row: {clock.Elapsed.TotalMicroseconds / 100_000:F2} us, {probabilities[1]:P1} earn more than 50,000");

    (BinaryMetrics Binary, MulticlassMetrics Classes) Judge(string name, PipelineModel judged)
    {
        var scored = judged.Transform(test).Cache();
        var binary = new BinaryClassificationEvaluator().Measure(scored);
        var classes = new MulticlassClassificationEvaluator().Measure(scored);
        Console.WriteLine($"{name,-22}{binary.AreaUnderRoc,10:F4}{binary.LogLoss,10:F4}{classes.Accuracy,10:F4}{classes.F1,10:F4}");
        scored.Unpersist();
        return (binary, classes);
    }
}
finally
{
    folder.Delete(recursive: true);
}
return 0;
