using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Tuning;

/// <summary>Searches over parameters.</summary>
public sealed class TuningTests
{
    /// <summary>Predicts the mean of the labels and something on top: the best something is 0.</summary>
    public sealed record OffMean : Estimator<OffMeanModel>
    {
        public double Offset { get; init => field = value >= -100 ? value : throw new ArgumentOutOfRangeException(nameof(Offset), value, "Offset must be -100 or more."); } = 7;

        public int Steps { get; init; } = 1;

        protected override async Task<OffMeanModel> LearnAsync(DataFrame frame, CancellationToken cancellationToken) =>
            new() { Value = (double)(await frame.Agg(Functions.Avg("label")).CollectAsync(cancellationToken))[0][0]! + Offset };
    }

    public sealed record OffMeanModel : Transformer
    {
        public double Value { get; init; }

        public override DataFrame Transform(DataFrame frame) => frame.WithColumn("prediction", Functions.Lit(Value));
    }

    private static readonly RegressionEvaluator Evaluator = new();

    private static DataFrame Frame(DataflowContext context, int partitions) =>
        context.FromRecords(Enumerable.Range(0, 500).Select(i => (i * 7919 % 101 / 10.0, i % 4, i)), partitions).ToDataFrame("label", "fold", "id");

    [Fact]
    public void The_best_of_a_grid_is_found_fitted_on_all_rows_saved_and_loaded()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var frame = Frame(context, 3);
        var grid = new ParamGrid<OffMean>().Add(x => x.Offset, 3, 0, -1).Add(x => x.Steps, 1, 2);
        var validator = new CrossValidator(new OffMean(), grid, Evaluator) { Folds = 4, KeepSubModels = true, Parallelism = 2 };
        validator.Save(Path.Combine(folder.Path, "search"));
        var model = PipelineStage.Load<CrossValidator>(Path.Combine(folder.Path, "search")).Fit(frame);
        Assert.Equal(["Offset = 3, Steps = 1", "Offset = 3, Steps = 2", "Offset = 0, Steps = 1", "Offset = 0, Steps = 2", "Offset = -1, Steps = 1", "Offset = -1, Steps = 2"], model.Candidates.Select(each => each.Parameters));
        var mean = (double)frame.Agg(Functions.Avg("label")).Collect()[0][0]!;
        Assert.Equal(mean, ((OffMeanModel)model.BestModel).Value, 9);
        Assert.Equal(24, model.SubModels.Count);
        Assert.Equal(4, model.Candidates[2].Metrics.Distinct().Count());
        Assert.True(model.Candidates[2].Metric < model.Candidates[4].Metric && model.Candidates[4].Metric < model.Candidates[0].Metric);
        Assert.InRange(model.Candidates[2].Deviation, 1e-6, 1);

        model.Save(Path.Combine(folder.Path, "model"));
        var loaded = CrossValidatorModel.Load(Path.Combine(folder.Path, "model"));
        Assert.Equal(model.Candidates, loaded.Candidates);
        Assert.Equal(24, loaded.SubModels.Count);
        Assert.Equal(model.Transform(frame).First()["prediction"], loaded.Transform(frame).First()["prediction"]);
        Assert.Equal(StorageLevel.None, frame.StorageLevel);
    }

    [Fact]
    public void Folds_do_not_depend_on_partitions_or_how_many_fits_run_at_a_time()
    {
        using var context = DataflowContext.Local(2);
        double[]? first = null;
        foreach (var (partitions, parallelism) in new[] { (1, 1), (2, 3), (7, 1) })
        {
            var model = new CrossValidator(new OffMean(), new ParamGrid<OffMean>().Add(x => x.Offset, 0, 1), Evaluator) { Parallelism = parallelism, Seed = 5 }.Fit(Frame(context, partitions));
            double[] metrics = [.. model.Candidates.SelectMany(each => each.Metrics)];
            PeerFile.AssertClose(first ??= metrics, metrics, 1e-12);
        }
        var union = Frame(context, 2).Where("id < 200").Union(Frame(context, 3).Where("id >= 200")).Where("id <> 17");
        var whole = Frame(context, 1).Where("id <> 17");
        double[] Metrics(DataFrame frame) => [.. new CrossValidator(new OffMean(), new ParamGrid<OffMean>(), Evaluator) { Seed = 9 }.Fit(frame).Candidates[0].Metrics];
        PeerFile.AssertClose(Metrics(whole), Metrics(union), 1e-12);
    }

    [Fact]
    public void Rows_are_in_one_fold_each()
    {
        using var context = DataflowContext.Local(2);
        var pairs = Draws(Frame(context, 4), 3);
        Assert.Equal(Enumerable.Range(0, 500), pairs.SelectMany(pair => pair).Order());
        Assert.All(pairs, pair => Assert.InRange(pair.Count, 130, 205));

        static List<int>[] Draws(DataFrame frame, int folds)
        {
            using var draws = Data.RowDraws.OfAsync(frame, 1, default).GetAwaiter().GetResult();
            return [.. Enumerable.Range(0, folds).Select(fold => draws.Frame.Where(draws.Frame["__draw"] * folds >= fold & draws.Frame["__draw"] * folds < fold + 1).Collect().Select(row => (int)row["id"]!).ToList())];
        }
    }

    [Fact]
    public void A_column_may_say_the_folds()
    {
        using var context = DataflowContext.Local(2);
        var frame = Frame(context, 3);
        var validator = new CrossValidator(new OffMean { Offset = 0 }, new ParamGrid<OffMean>(), Evaluator) { Folds = 4, FoldColumn = "fold" };
        var metrics = validator.Fit(frame).Candidates[0].Metrics;
        for (var fold = 0; fold < 4; fold++)
        {
            var expected = Evaluator.Evaluate(new OffMean { Offset = 0 }.Fit(frame.Where($"fold <> {fold}")).Transform(frame.Where($"fold = {fold}")));
            Assert.Equal(expected, metrics[fold], 12);
        }
        Assert.Contains("holds 3, and with 3 folds", Assert.ThrowsAny<DataflowException>(() => (validator with { Folds = 3 }).Fit(frame)).Message);
        Assert.Contains("rows of 4 folds", Assert.ThrowsAny<DataflowException>(() => (validator with { Folds = 5 }).Fit(frame)).Message);
    }

    [Fact]
    public void Stages_inside_of_a_pipeline_are_varied_by_their_types()
    {
        using var context = DataflowContext.Local(2);
        var pipeline = new Pipeline(new StandardScaler { InputColumns = ["label"] }, new OffMean());
        var grid = new ParamGrid<Pipeline>().Add((OffMean x) => x.Offset, 0, 2).Add((StandardScaler x) => x.WithMean, true, false);
        var model = new TrainValidationSplit(pipeline, grid, Evaluator) { TrainRatio = 0.5, KeepSubModels = true }.Fit(Frame(context, 2));
        Assert.Equal("Offset = 0, WithMean = True", model.Candidates.MinBy(each => each.Metric)!.Parameters);
        Assert.Equal(4, model.SubModels.Count);
        Assert.True(((PipelineModel)model.BestModel).Stage<StandardScalerModel>().WithMean);
        Assert.Contains("no Imputer in Pipeline", Assert.Throws<ArgumentException>(() => new ParamGrid<Pipeline>().Add((Imputer x) => x.MissingValue, 1).Candidates[0].ApplyTo(pipeline)).Message);
    }

    [Fact]
    public void Random_candidates_lie_in_their_ranges_and_depend_on_the_seed_alone()
    {
        RandomSearch<OffMean> Search(ulong seed) => new RandomSearch<OffMean>(200, seed).LogUniform(x => x.Offset, 0.001, 10).Integers(x => x.Steps, 1, 3);
        var drawn = Search(4).Candidates.Select(candidate => candidate.ApplyTo(new OffMean())).ToArray();
        Assert.All(drawn, each => Assert.InRange(each.Offset, 0.001, 10));
        Assert.InRange(drawn.Count(each => each.Offset < 0.01), 30, 70);
        Assert.Equal([1, 2, 3], drawn.Select(each => each.Steps).Distinct().Order());
        Assert.Equal(drawn, Search(4).Candidates.Select(candidate => candidate.ApplyTo(new OffMean())));
        Assert.NotEqual(drawn, Search(5).Candidates.Select(candidate => candidate.ApplyTo(new OffMean())));
        Assert.Equal(["Offset = 1", "Offset = 2"], new RandomSearch<Pipeline>(30).Choice((OffMean x) => x.Offset, 1.0, 2).Candidates.Select(each => each.ToString()).Distinct().Order());
    }

    [Fact]
    public void What_can_not_be_searched_is_refused_when_it_is_written()
    {
        Assert.Contains("Offset must be -100 or more", Assert.Throws<ArgumentException>(() => new ParamGrid<OffMean>().Add(x => x.Offset, 1, -200)).Message);
        Assert.Contains("names no parameter", Assert.Throws<ArgumentException>(() => new ParamGrid<OffMean>().Add(x => x.Offset + 1, 1)).Message);
        Assert.Contains("no values", Assert.Throws<ArgumentException>(() => new ParamGrid<OffMean>().Add(x => x.Offset)).Message);
        Assert.Contains("no logarithmic range", Assert.Throws<ArgumentException>(() => new RandomSearch<OffMean>(3).LogUniform(x => x.Offset, 0, 1)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new CrossValidator(new OffMean(), new ParamGrid<OffMean>(), Evaluator) { Folds = 1 });
        using var context = DataflowContext.Local(1);
        Assert.Contains("3 folds need", Assert.ThrowsAny<DataflowException>(() => new CrossValidator(new OffMean(), new ParamGrid<OffMean>(), Evaluator).Fit(Frame(context, 1).Limit(2))).Message);
    }
}
