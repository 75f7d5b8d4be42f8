// Which digit is it? Nearest neighbours against boosted trees and logistic regression, on 1,797 images of 8 x 8 pixels.
using System.Diagnostics;
using Dataflow;
using Dataflow.Examples;
using Dataflow.MLlib;
using Dataflow.Sql;

var arguments = new Arguments(args, """
    Usage: HandwrittenDigits [--plots FOLDER]

      --plots  where confusion.svg and errors.svg are written (default: plots/digits in the working folder)
    """);
var plots = arguments.Text("--plots") ?? Path.Combine("plots", "digits");

using var context = DataflowContext.Local();
var images = context.Read.Csv(Path.Combine(AppContext.BaseDirectory, "data", "digits.csv"))
    .WithColumnsRenamed(new Dictionary<string, string> { ["_c64"] = "digit" }).Cache();
ValueList<string> pixels = [.. Enumerable.Range(0, 64).Select(i => $"_c{i}")];
if (images.RandomSplit([0.7, 0.3], seed: 7) is not [var train, var test]) return 1;

Learner[] learners =
[
    new("nearest neighbours (k = 3)", frame => new KNeighborsClassifier { K = 3, FeatureColumns = pixels, LabelColumn = "digit" }.Fit(frame)),
    new("boosted trees (100 x 10)", frame => new GradientBoostedTreesClassifier { FeatureColumns = pixels, LabelColumn = "digit", Leaves = 8, MinLeafRows = 5 }.Fit(frame)),
    new("logistic regression", frame => new LogisticRegression { FeatureColumns = pixels, LabelColumn = "digit", Regularization = 0.01 }.Fit(frame)),
];

Console.WriteLine($"{train.Count():N0} images to learn from, {test.Count():N0} to be asked about");
Console.WriteLine($"{"learner",-28}{"accuracy",10}{"F1",10}{"log loss",10}{"fit",10}{"score",10}");
MulticlassMetrics? best = null;
var errors = new List<(string, double)>();
foreach (var (name, fit) in learners)
{
    var watch = Stopwatch.StartNew();
    var model = fit(train);
    var fitted = watch.Elapsed;
    var metrics = new MulticlassClassificationEvaluator { LabelColumn = "digit" }.Measure(model.Transform(test));
    Console.WriteLine($"{name,-28}{metrics.Accuracy,10:F4}{metrics.F1,10:F4}{metrics.LogLoss,10:F4}{fitted.TotalSeconds,8:F2} s{(watch.Elapsed - fitted).TotalSeconds,8:F2} s");
    errors.Add((name, 100 * (1 - metrics.Accuracy)));
    if (best is null || metrics.Accuracy > best.Accuracy) best = metrics;
}

Plot.ConfusionMatrix(best!).Save(Path.Combine(plots, "confusion.svg"));
(Plot.Bars(errors) with { Title = "Wrong of 100", XLabel = "images" }).Save(Path.Combine(plots, "errors.svg"));
Console.WriteLine($"Plots: {Path.GetFullPath(plots)}");
return 0;

internal sealed record Learner(string Name, Func<DataFrame, Transformer> Fit);
