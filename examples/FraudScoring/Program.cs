// Payments are scored as they come: by boosted trees that were fitted before, and by a line that learns from each batch once it is known which payments were frauds.
using System.Globalization;
using Dataflow;
using Dataflow.Examples;
using Dataflow.Examples.FraudScoring;
using Dataflow.MLlib;
using Dataflow.Sql;
using Dataflow.Streaming;
using static Dataflow.Sql.Functions;

var arguments = new Arguments(args, """
    Usage: FraudScoring [--batches N] [--history N] [--output DIR]

      --batches  ends after so many batches of made-up payments (12); thieves change their ways in the seventh
      --history  payments of the time before, which the models are fitted with (20000)
      --output   where payments that look like frauds are written, as JSON files, a folder a batch; without it they are only counted
    """);
var batches = arguments.Number("--batches", 12);
var folder = Directory.CreateTempSubdirectory("payments-");
try
{
    await using var context = DataflowContext.Local();
    var history = context.FromRecords(Payments.History(arguments.Number("--history", 20_000)).ToArray()).WithColumn("label", Col("IsFraud"));

    // What is learned from the time before: texts become numbers, then trees.
    ValueList<string> texts = ["Shop", "Country"];
    ValueList<string> codes = ["Shop_code", "Country_code"];
    var codesOfTexts = new StringIndexer { InputColumns = texts, OutputColumns = codes, HandleInvalid = InvalidValues.Keep };
    var trees = new Pipeline(codesOfTexts, new GradientBoostedTreesClassifier
    {
        FeatureColumns = [.. codes, "Amount", "Hour", "IsAbroad"], CategoricalColumns = codes, Trees = 60, Leaves = 15,
    }).Fit(history);

    // A line over the same, which goes on to learn.
    var hot = texts.ConvertAll(text => text + "_hot");
    var numbers = new Pipeline(codesOfTexts, new OneHotEncoder { InputColumns = codes, OutputColumns = hot, HandleInvalid = InvalidValues.Keep }).Fit(history);
    var line = new LogisticRegression { FeatureColumns = [.. hot, "Amount", "Hour", "IsAbroad"], Regularization = 1e-4, Updatable = true }.Fit(numbers.Transform(history));

    // The fitted pipeline takes a stream as it takes a table: Transform only adds to the plan.
    var payments = context.ReadStream.Json<Payment>(Path.Combine(folder.FullName, "inbox"), new FileSourceOptions { MaxFilesPerTrigger = 1 }).WithColumn("label", Col("IsFraud"));
    var scored = trees.Transform(payments);

    Console.WriteLine($"{"batch",-8}{"payments",10}{"frauds",8}{"flagged",9}{"found",7}{"AUC trees",11}{"AUC line",10}");
    await using var query = scored.WriteStream.ForeachBatch(async (rows, number) =>
    {
        var counts = (await rows.Agg(Count().As("all"), Sum("label").As("frauds"), Sum("prediction").As("flagged"), Sum(Col("label") * Col("prediction")).As("found")).CollectAsync())[0];
        var (byTrees, byLine) = (new BinaryClassificationEvaluator().Measure(rows).AreaUnderRoc, Judge(rows));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{number,-8}{counts["all"],10}{counts["frauds"],8}{counts["flagged"],9}{counts["found"],7}{byTrees,11:F4}{byLine,10:F4}"));

        // By now it is known which were frauds: the line learns, and forgets what is long ago.
        line = await line.UpdateAsync(numbers.Transform(Plain(rows)), decay: 0.5);
    }, new() { Name = "scores" });

    // Another query over the same files writes what looks like a fraud, each payment once, whatever happens meanwhile.
    StreamingQuery? writing = arguments.Text("--output") is not { } output ? null
        : scored.Where(Col("prediction") == 1).Select("At", "Card", "Amount", "Shop", "Country").WriteStream.Start(FileSink.Json(output), new() { Checkpoint = Path.Combine(output, "_checkpoint") });

    for (var file = 0; file < batches; file++)
    {
        if (file == Payments.Change) Console.WriteLine("-- From here on thieves do something else, which the trees have never seen; the line learns it from batch to batch. --");
        Payments.Drop(Path.Combine(folder.FullName, "inbox"), file);
        await query.ProcessAllAvailableAsync();
    }
    if (writing is not null)
    {
        await writing.ProcessAllAvailableAsync();
        await writing.DisposeAsync();
    }

    double Judge(DataFrame rows) => new BinaryClassificationEvaluator().Measure(line.Transform(numbers.Transform(Plain(rows)))).AreaUnderRoc;
}
finally
{
    folder.Delete(recursive: true);
}
return 0;

// Without what the trees have said.
static DataFrame Plain(DataFrame rows) => rows.Select("Shop", "Country", "Amount", "Hour", "IsAbroad", "label");
