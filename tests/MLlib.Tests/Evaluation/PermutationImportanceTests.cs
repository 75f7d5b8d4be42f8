using Dataflow.MLlib.Features;
using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Tests.Linear;
using static Dataflow.Sql.Functions;

namespace Dataflow.MLlib.Tests.Evaluation;

/// <summary>Importances by shuffling columns, against scikit-learn's.</summary>
public sealed class PermutationImportanceTests
{
    private sealed record Named(string Color, double Noise, Vector Both, double Label);

    [Fact]
    public void Importances_of_a_regression_are_those_of_scikit_learn_within_their_chance()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(SklearnData.Points, 3);
        var model = new LinearRegression { FeaturesColumn = "Features", LabelColumn = "Label" }.Fit(frame);
        var found = new PermutationImportance { Evaluator = new RegressionEvaluator { LabelColumn = "Label", Metric = RegressionMetric.R2 }, Repeats = 20, Seed = 4 }.Measure(model, frame);
        Assert.Equal(model.Summary!.R2, found.Score, 9);
        Compare(found, "importance_linear");
    }

    [Fact]
    public void Importances_of_a_classifier_are_those_of_scikit_learn_within_their_chance()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(SklearnData.Points, 3);
        var model = new LogisticRegression { FeaturesColumn = "Features", LabelColumn = "Binary", Regularization = 1.0 / 120, Standardize = false }.Fit(frame);
        var found = new PermutationImportance { Evaluator = new BinaryClassificationEvaluator { LabelColumn = "Binary" }, Repeats = 20 }.Measure(model, frame);
        Compare(found, "importance_logistic");
    }

    [Fact]
    public void Any_partitions_and_threads_give_the_same_bits_and_another_seed_others()
    {
        string Of(int threads, int partitions, long seed)
        {
            using var context = DataflowContext.Local(threads);
            var model = new LinearRegression { FeaturesColumn = "Features", LabelColumn = "Label" }.Fit(context.FromRecords(SklearnData.Points, 1));
            var found = new PermutationImportance { Evaluator = new RegressionEvaluator { LabelColumn = "Label" }, Repeats = 2, Seed = seed, Columns = ["Features_1", "Features_4"] }
                .Measure(model, context.FromRecords(SklearnData.Points, partitions));
            return string.Join(' ', found.Columns.SelectMany(column => column.Drops.Select(drop => $"{column.Name}:{BitConverter.DoubleToInt64Bits(drop):x}")));
        }
        var first = Of(1, 1, 7);
        Assert.Equal(first, Of(2, 2, 7));
        Assert.Equal(first, Of(2, 7, 7));
        Assert.NotEqual(first, Of(2, 7, 8));
    }

    [Fact]
    public void Texts_that_a_pipeline_reads_first_and_whole_vectors_are_shuffled_too()
    {
        using var context = DataflowContext.Local(2);
        var random = new Random(3);
        var rows = Enumerable.Range(0, 300).Select(_ => (Color: random.Next(3), Noise: random.NextDouble(), Kind: random.Next(4)))
            .Select(row => new Named($"color {row.Color}", row.Noise, Vector.Sparse(4, [row.Kind], [1]), (row.Color * 2) + (row.Kind == 2 ? 5 : 0))).ToArray();
        var frame = context.FromRecords(rows, 3);
        var model = new Pipeline(
            new StringIndexer { InputColumns = ["Color"] },
            new OneHotEncoder { InputColumns = ["Color_index"], DropLast = false },
            new LinearRegression { FeatureColumns = ["Color_index_vector", "Noise", "Both"], LabelColumn = "Label" }).Fit(frame);
        var measure = new PermutationImportance { Evaluator = new RegressionEvaluator { LabelColumn = "Label", Metric = RegressionMetric.R2 }, Columns = ["Color", "Noise", "Both"], WholeVectors = true };
        var found = measure.Measure(model, frame);
        Assert.Equal(["Both", "Color", "Noise"], found.Ranked.Select(column => column.Column));
        Assert.All(found.Columns, column => Assert.Null(column.Position));
        Assert.InRange(found.Columns[2].Mean, 0.8, 1.7);
        Assert.Equal(0, found.Columns[1].Mean, 6);

        var apart = (measure with { Columns = ["Both"], WholeVectors = false }).Measure(model, frame);
        Assert.Equal(["Both_0", "Both_1", "Both_2", "Both_3"], apart.Columns.Select(column => column.Name));
        Assert.Equal(2, apart.Ranked[0].Position);
    }

    [Fact]
    public void A_shuffled_column_holds_the_values_it_had_each_once()
    {
        foreach (var count in new long[] { 1, 2, 3, 5, 64, 1000, 4097 })
        {
            var order = new RowPermutation(RowHash.Key(1, (ulong)count), count);
            Assert.Equal(Range(count), Range(count).Select(i => order[i]).Order());
            if (count >= 64) Assert.InRange(Range(count).Count(i => order[i] == i), 0, 8);
        }

        static IEnumerable<long> Range(long count) => Enumerable.Range(0, (int)count).Select(i => (long)i);
    }

    [Fact]
    public void One_element_of_a_vector_is_replaced_and_the_others_stay()
    {
        using var context = DataflowContext.Local(1);
        Vector?[] vectors = [Vector.Sparse(5, [1, 3], [2, 4]), Vector.Dense(1, 2, 3, 4, 5), Vector.Dense([1f, 2, 3, 4, 5]), Vector.Sparse(5, [], []), Vector.Sparse(5, [0, 4], [1, 5])];
        var frame = context.FromRecords(vectors.Select(vector => (V: vector, X: 9.0)), 1).ToDataFrame("V", "X");
        foreach (var (position, value) in new[] { (1, 9.0), (0, 9), (4, 9), (3, 0), (2, 9) })
        {
            var changed = frame.Select(Call(new ReplaceElement(position, "V"), frame["V"], Lit(value)).As("W")).Collect().Select(row => row.Get<Vector>("W")).ToArray();
            for (var i = 0; i < vectors.Length; i++)
            {
                var expected = vectors[i]!.ToArray();
                expected[position] = value;
                Assert.Equal(expected, changed[i].ToArray());
                Assert.Equal(vectors[i]!.IsSparse, changed[i].IsSparse);
            }
        }
    }

    [Fact]
    public void What_can_not_be_shuffled_is_a_named_error()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(SklearnData.Points, 1);
        var model = new LinearRegression { FeaturesColumn = "Features", LabelColumn = "Label" }.Fit(frame);
        var measure = new PermutationImportance { Evaluator = new RegressionEvaluator { LabelColumn = "Label" } };
        Assert.Contains("Name those to shuffle in Columns", Assert.Throws<ArgumentException>(() => measure.Measure(new PipelineModel([model]), frame)).Message, StringComparison.Ordinal);
        Assert.Contains("no element 6", Assert.Throws<QueryException>(() => (measure with { Columns = ["Features_6"] }).Measure(model, frame)).Message, StringComparison.Ordinal);
        Assert.DoesNotContain("__", Assert.Throws<QueryException>(() => (measure with { Columns = ["Nothing"] }).Measure(model, frame)).Message, StringComparison.Ordinal);
        Assert.Contains("without rows", Assert.Throws<QueryException>(() => measure.Measure(model, frame.Where("Label > 1e9"))).Message, StringComparison.Ordinal);
        Assert.Contains("'Features_-1'", Assert.Throws<QueryException>(() => (measure with { Columns = ["Features_-1"] }).Measure(model, frame)).Message, StringComparison.Ordinal);
        foreach (var name in new[] { "__from", "__KEY", "__value" })
            Assert.Equal("COLUMN_ALREADY_EXISTS", Assert.Throws<QueryException>(() => measure.Measure(model, frame.WithColumn(name, frame["Label"]))).ErrorClass);
        Assert.Throws<ArgumentOutOfRangeException>(() => measure with { Repeats = 0 });
    }

    private static void Compare(PermutationImportances found, string name)
    {
        var peer = PeerFile.Open("bounds_importances.json").GetProperty(name);
        var (means, deviations) = (peer.GetProperty("means").Numbers(), peer.GetProperty("deviations").Numbers());
        Assert.Equal(means.Length, found.Columns.Count);
        for (var i = 0; i < means.Length; i++)
        {
            // Means of 20 shuffles lie within five of their deviations.
            Assert.Equal(means[i], found.Columns[i].Mean, (5 * deviations[i] / Math.Sqrt(20)) + 1e-9);
            Assert.InRange(found.Columns[i].Deviation, deviations[i] / 2, deviations[i] * 2);
        }
        Assert.Equal(Array.IndexOf(means, means.Max()), found.Ranked[0].Position);
    }
}
