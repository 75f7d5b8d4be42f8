using Dataflow.MLlib.TreeExchange;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Tests.TreeExchange;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.TreeModels;

/// <summary>Models of boosted trees as users meet them: in frames, alone, saved and loaded.</summary>
public sealed class BoostedTreesModelTests
{
    private sealed record Case(int Id, Vector Features);

    private sealed record Plain(double? A, float B, int C);

    [Theory]
    [InlineData("binary", 2)]
    [InlineData("multiclass", 4)]
    public void A_frame_gets_the_same_bits_as_single_rows_and_batches(string name, int classes)
    {
        var model = GradientBoostedTreesClassificationModel.FromLightGbm(StoredTable.PathOf($"lightgbm-synthetic/{name}.model.txt")) with
        {
            FeatureColumns = ["Features"], LeafColumn = "leaves", ContributionsColumn = "shap",
        };
        Assert.Equal(classes, model.ClassCount);
        var rows = Array.ConvertAll(StoredTable.Read($"lightgbm-synthetic/{name}.test.tsv"), row => row[1..]);
        var batch = new double[rows.Length];
        model.PredictBatch(rows.SelectMany(row => row).ToArray(), batch);
        var batchProbabilities = new double[rows.Length * classes];
        model.PredictProbabilitiesBatch(rows.SelectMany(row => row).ToArray(), batchProbabilities);

        using var context = DataflowContext.Local(2);
        var frame = model.Transform(context.FromRecords(rows.Select((row, i) => new Case(i, Vector.Dense(row))).ToArray(), 3));
        Assert.Equal(["Id", "Features", "rawPrediction", "probability", "prediction", "leaves", "shap"], frame.Schema.Select(column => column.Name));
        var collected = frame.Collect();
        Assert.Equal(rows.Length, collected.Count());
        foreach (var row in collected)
        {
            var i = row.Get<int>("Id");
            var probabilities = new double[classes];
            model.PredictProbabilities(rows[i], probabilities);
            Assert.Equal(probabilities, row.Get<Vector>("probability").ToArray());
            Assert.Equal(probabilities, batchProbabilities[(i * classes)..((i + 1) * classes)]);
            Assert.Equal(1, probabilities.Sum(), 12);
            Assert.Equal(model.Predict(rows[i]), row.Get<double>("prediction"));
            Assert.Equal(batch[i], row.Get<double>("prediction"));
            Assert.Equal(Array.IndexOf(probabilities, probabilities.Max()), batch[i]);
            Assert.Equal(model.Leaves(rows[i]), Array.ConvertAll(row.Get<Vector>("leaves").ToArray(), leaf => (int)leaf));
            Assert.Equal(model.Contributions(rows[i]), row.Get<Vector>("shap").ToArray());
            var raw = row.Get<Vector>("rawPrediction").ToArray();
            Assert.Equal(raw[^1], model.Contributions(rows[i])[^(model.FeatureCount + 1)..].Sum(), 10);
        }
    }

    [Fact]
    public void Thresholds_choose_classes_and_columns_may_be_left_out()
    {
        var model = GradientBoostedTreesClassificationModel.FromLightGbm(StoredTable.PathOf("lightgbm-synthetic/binary.model.txt")) with
        {
            FeatureColumns = ["Features"], Threshold = 0.3, ProbabilityColumn = null,
        };
        var rows = Array.ConvertAll(StoredTable.Read("lightgbm-synthetic/binary.test.tsv")[..60], row => row[1..]);
        using var context = DataflowContext.Local(1);
        var source = context.FromRecords(rows.Select((row, i) => new Case(i, Vector.Dense(row))).ToArray());
        var expected = Array.ConvertAll(rows, row => Probability(row) > 0.3 ? 1.0 : 0);
        var frame = model.Transform(source);
        Assert.Equal(["Id", "Features", "rawPrediction", "prediction"], frame.Schema.Select(column => column.Name));
        Assert.Equal(expected, frame.Collect().Select(row => row.Get<double>("prediction")));
        Assert.Equal(expected, (model with { RawPredictionColumn = null }).Transform(source).Collect().Select(row => row.Get<double>("prediction")));
        Assert.Contains(1.0, expected);

        var thresholds = model with { Thresholds = [0.2, 0.8] };
        Assert.Equal(rows.Select(row => Probability(row) / 0.8 > (1 - Probability(row)) / 0.2 ? 1 : 0), rows.Select(row => thresholds.Predict(row)));
        Assert.Throws<ArgumentException>(() => (model with { Thresholds = [1, 1, 1] }).Transform(source));

        double Probability(double[] row)
        {
            var probabilities = new double[2];
            model.PredictProbabilities(row, probabilities);
            return probabilities[1];
        }
    }

    [Fact]
    public void Numeric_columns_are_features_by_themselves_and_nulls_are_missing_values()
    {
        var ensemble = RandomTrees.Ensemble(new Random(4), 6, 9, 3, plain: true);
        var model = new GradientBoostedTreesRegressionModel(ensemble) { FeatureColumns = ["A", "B", "C"] };
        using var context = DataflowContext.Local(2);
        Plain[] rows = [new(0.25, -1.5f, 2), new(null, 0.3f, -1), new(double.NaN, float.NaN, 0)];
        var predictions = model.Transform(context.FromRecords(rows)).Collect().Select(row => row.Get<double>("prediction"));
        Assert.Equal(rows.Select(row => model.Predict([row.A ?? double.NaN, row.B, row.C])), predictions);
    }

    [Fact]
    public void A_loaded_model_predicts_the_same()
    {
        using var folder = new TempDirectory();
        var random = new Random(6);
        var names = new TreeEnsemble(RandomTrees.Ensemble(random, 9, 20, 5, 3).Trees, 5, 3, "multiclass num_class:3") { FeatureNames = ["a b", "c", "d", "e", "f"], BestIteration = 2, ClassCount = 3 };
        var model = new GradientBoostedTreesClassificationModel(names) { ProbabilityColumn = "p", LeafColumn = "leaf", FeatureColumns = ["x", "y"] };
        Check(model);
        Check(model with { Iterations = 1 });

        void Check(GradientBoostedTreesClassificationModel model)
        {
            model.Save(Path.Combine(folder.Path, "m"), overwrite: true);
            var loaded = GradientBoostedTreesClassificationModel.Load(Path.Combine(folder.Path, "m"));
            Assert.Equal(model.ToString(), loaded.ToString());
            Assert.Equal(("a b", 2, 3), (loaded.Ensemble.FeatureNames[0], loaded.Ensemble.BestIteration, loaded.Ensemble.IterationCount));
            Assert.Equal(model.FeatureImportances(), loaded.FeatureImportances());
            for (var i = 0; i < 50; i++)
            {
                var row = RandomTrees.Row(random, 5);
                double[] expected = new double[3], actual = new double[3];
                model.PredictProbabilities(row, expected);
                loaded.PredictProbabilities(row, actual);
                Assert.Equal(expected, actual);
            }
        }
    }

    [Fact]
    public void LightGBM_is_given_the_iterations_that_are_used()
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "m.txt");
        var model = GradientBoostedTreesRegressionModel.FromLightGbm(StoredTable.PathOf("lightgbm-synthetic/poisson.model.txt")) with { Iterations = 4 };
        model.ToLightGbm(path);
        var again = GradientBoostedTreesRankerModel.FromLightGbm(path);
        Assert.Equal(4, again.Ensemble.Trees.Count);
        var row = new double[12];
        Assert.Equal(model.Predict(row), MLlib.Numerics.Elementary.Exp(again.Predict(row)));
    }

    [Fact]
    public void A_model_is_read_only_as_what_it_is()
    {
        var error = Assert.Throws<ModelFormatException>(() => GradientBoostedTreesClassificationModel.FromLightGbm(StoredTable.PathOf("lightgbm-synthetic/regression.model.txt")));
        Assert.Contains("read it as GradientBoostedTreesRegressionModel", error.Message);
        error = Assert.Throws<ModelFormatException>(() => GradientBoostedTreesRegressionModel.FromXGBoost(StoredTable.PathOf("xgboost/multiclass.json")));
        Assert.Contains("3 scores a row; read it as GradientBoostedTreesClassificationModel", error.Message);
        Assert.Equal(2, GradientBoostedTreesClassificationModel.FromXGBoost(StoredTable.PathOf("xgboost/binary.json")).ClassCount);
    }

    [Fact]
    public void Wrong_rows_and_columns_are_refused()
    {
        var model = GradientBoostedTreesRegressionModel.FromLightGbm(StoredTable.PathOf("lightgbm-synthetic/regression.model.txt"));
        Assert.Contains("needs rows of 12 features", Assert.Throws<ArgumentException>(() => model.Predict(new double[3])).Message);
        Assert.Contains("no whole number of rows", Assert.Throws<ArgumentException>(() => model.PredictBatch(new double[13], new double[1])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => model with { Iterations = 99 });
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords([new Case(1, Vector.Dense(1.0, 2))]);
        var error = Assert.ThrowsAny<Exception>(() => (model with { FeatureColumns = ["Features"] }).Transform(frame).Collect());
        Assert.Contains("12 features", error.Message);
    }

    [Fact]
    public void Trees_are_shown_as_conditions()
    {
        var model = GradientBoostedTreesRegressionModel.FromLightGbm(StoredTable.PathOf("lightgbm-synthetic/regression.model.txt"));
        var text = model.ToDebugText();
        Assert.StartsWith("Tree 0 (15 leaves)\n  if Column_", text);
        Assert.Contains("Column_3 in {1, 4, 6}", text);
        Assert.Equal(model.Ensemble.Trees.Sum(tree => (2 * tree.LeafCount) - 1) + model.Ensemble.Trees.Count, text.Count(c => c == '\n'));
        Assert.Equal("Column_0", model.FeatureImportances(ImportanceKind.Splits).MaxBy(pair => pair.Importance).Feature);
    }
}
