using Dataflow.MLlib.TreeExchange;
using Dataflow.MLlib.TreeModels;
using Dataflow.MLlib.Tests.TreeModels;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.TreeExchange;

/// <summary>Models that LightGBM trained, with categories and missing values: what it predicted, and the same file written again.</summary>
public sealed class LightGbmTextTests
{
    public static TheoryData<string> Names => ["binary", "regression", "multiclass", "poisson"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Predictions_leaves_and_SHAP_values_are_those_of_LightGBM(string name)
    {
        var predictor = new TreePredictor(Model(name));
        var rows = Array.ConvertAll(StoredTable.Read($"lightgbm-synthetic/{name}.test.tsv"), row => row[1..]);
        Compare($"{name}.raw", predictor.ScoreCount, predictor.Scores);
        Compare($"{name}.predictions", predictor.ScoreCount, predictor.Outputs);
        Compare($"{name}.shap", predictor.ScoreCount * (predictor.FeatureCount + 1), predictor.Contributions);
        var leaves = StoredTable.Read($"lightgbm-synthetic/{name}.leaf.txt");
        var found = new int[predictor.LeafCount];
        for (var i = 0; i < rows.Length; i++)
        {
            predictor.Leaves(rows[i], found);
            Assert.Equal(leaves[i], Array.ConvertAll(found, leaf => (double)leaf));
        }

        void Compare(string file, int width, Predict predict)
        {
            var expected = StoredTable.Read($"lightgbm-synthetic/{file}.txt");
            Assert.Equal(rows.Length, expected.Length);
            var actual = new double[width];
            for (var i = 0; i < rows.Length; i++)
            {
                predict(rows[i], actual);
                Assert.Equal(width, expected[i].Length);
                var largest = expected[i].Max(Math.Abs);
                for (var j = 0; j < width; j++)
                {
                    var bound = 1e-12 * (file.EndsWith("shap", StringComparison.Ordinal) ? largest : Math.Abs(expected[i][j]));
                    Assert.True(Math.Abs(actual[j] - expected[i][j]) <= bound, $"{file}, row {i}, number {j}: {actual[j]:R}, expected {expected[i][j]:R}");
                }
            }
        }
    }

    private delegate void Predict(ReadOnlySpan<double> row, Span<double> result);

    [Theory]
    [MemberData(nameof(Names))]
    public void A_model_that_is_written_again_is_the_same_file(string name)
    {
        using var folder = new TempDirectory();
        var path = Path.Combine(folder.Path, "again.txt");
        LightGbmText.Write(Model(name), path);
        Assert.Equal(File.ReadAllText(StoredTable.PathOf($"lightgbm-synthetic/{name}.model.txt")), File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Models_of_our_own_come_back_with_the_same_bits()
    {
        var random = new Random(23);
        var trees = RandomTrees.Ensemble(random, 12, 40, 6, 3).Trees;
        var ensemble = new TreeEnsemble(trees, 6, 3, "multiclass num_class:3")
        {
            FeatureNames = ["a", "b c", "d=e", "f", "g", ""],
            FeatureInfos = [FeatureInfo.Numeric(-1.5, 1e300), FeatureInfo.Unused, FeatureInfo.Categorical([-1, 4, 2]), FeatureInfo.Numeric(0, 0), FeatureInfo.Unused, FeatureInfo.Unused],
            MonotoneConstraints = [1, 0, 0, -1, 0, 0],
            Parameters = ["[num_leaves: 40]"],
            PandasCategorical = "[[\"x\"]]",
            AverageOutput = true,
        };
        var text = LightGbmText.Format(ensemble);
        var again = LightGbmText.Parse(text);
        Assert.Equal(text, LightGbmText.Format(again));
        Assert.Equal(["a", "b_c", "d=e", "f", "g", "Column_5"], again.FeatureNames);
        Assert.Equal([4, 2], again.FeatureInfos[2].Categories!.Skip(1));
        for (var t = 0; t < trees.Count; t++)
        {
            Assert.Equal(trees[t].LeafValues, again.Trees[t].LeafValues);
            Assert.Equal(trees[t].Thresholds, again.Trees[t].Thresholds);
            Assert.Equal(trees[t].Gains, again.Trees[t].Gains);
            Assert.Equal(trees[t].CategoryWords, again.Trees[t].CategoryWords);
        }
    }

    [Theory]
    [InlineData(0.1, "0.10000000000000001", "0.1")]
    [InlineData(-0.0, "-0", "-0")]
    [InlineData(123456789, "123456789", "123456789")]
    [InlineData(1234570, "1234570", "1.23457e+06")]
    [InlineData(1e-5, "1.0000000000000001e-05", "1e-05")]
    [InlineData(0.00012, "0.00012", "0.00012")]
    [InlineData(1e300, "1.0000000000000001e+300", "1e+300")]
    [InlineData(5e-324, "4.9406564584124654e-324", "4.94066e-324")]
    [InlineData(12345678901234567, "12345678901234568", "12345678901234568")]
    public void Numbers_are_written_as_C_writes_them(double value, string full, string brief)
    {
        Assert.Equal(full, NumberText.AppendFull(new System.Text.StringBuilder(), value).ToString());
        Assert.Equal(brief, NumberText.AppendShort(new System.Text.StringBuilder(), value).ToString());
    }

    internal static TreeEnsemble Model(string name) => LightGbmText.Read(StoredTable.PathOf($"lightgbm-synthetic/{name}.model.txt"));
}
