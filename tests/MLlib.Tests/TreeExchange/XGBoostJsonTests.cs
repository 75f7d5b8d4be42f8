using System.Globalization;
using System.Text;
using Dataflow.MLlib.TreeExchange;
using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib.Tests.TreeExchange;

/// <summary>Models that XGBoost trained (tests/Peers/xgboost_models.py): what it predicted.</summary>
public sealed class XGBoostJsonTests
{
    [Theory]
    [InlineData("regression")]
    [InlineData("binary")]
    [InlineData("lossguide")]
    [InlineData("multiclass")]
    [InlineData("poisson")]
    [InlineData("dart")]
    [InlineData("categorical")]
    [InlineData("onehot")]
    [InlineData("pruned")]
    public void Margins_and_predictions_are_those_of_XGBoost(string name)
    {
        var predictor = new TreePredictor(Model(name));
        Compare(name, "margins", predictor.ScoreCount, predictor.Scores);
        Compare(name, "predictions", predictor.ScoreCount, predictor.Outputs);
    }

    [Theory]
    [InlineData("regression")]
    [InlineData("binary")]
    public void SHAP_values_are_those_of_XGBoost(string name)
    {
        var predictor = new TreePredictor(Model(name));
        Compare(name, "shap", predictor.FeatureCount + 1, predictor.Contributions);
    }

    [Fact]
    public void The_thresholds_are_exact_for_floats_and_doubles()
    {
        foreach (var condition in (float[])[0.1f, 0, -0.0f, 1, -1, 1e-45f, -1e-45f, 1e30f, float.MaxValue, 16777216, 2.5f])
        {
            var tree = LightGbmText.Parse(LightGbmText.Format(XGBoostJson.Parse(Stump(condition)))).Trees[0];
            foreach (var start in (double[])[condition, MathF.BitDecrement(condition), (condition + (double)MathF.BitDecrement(condition)) / 2])
            {
                foreach (var value in (double[])[start, Math.BitDecrement(start), Math.BitIncrement(start), (float)start])
                    Assert.True(!TreeDecision.GoesRight(tree, 0, value) == (float)value < condition, $"{value:R} < {condition:R}");
            }
        }
    }

    [Theory]
    [InlineData("\"gbtree\"", "\"gblinear\"", "the booster 'gblinear' is not made of trees")]
    [InlineData("reg:squarederror", "survival:aft", "the objective 'survival:aft' is not supported")]
    [InlineData("\"num_feature\":\"1\"", "\"num_feature\":\"x\"", "not a whole number")]
    [InlineData("\"left_children\":[1,-1,-1]", "\"left_children\":[0,-1,-1]", "child of two nodes")]
    [InlineData("\"left_children\":[1,-1,-1]", "\"left_children\":[1,-1]", "3 entries for 2 nodes")]
    [InlineData("\"right_children\":[2,-1,-1]", "\"right_children\":[9,-1,-1]", "a child is 9")]
    [InlineData("\"split_indices\":[0,0,0]", "\"split_indices\":[4,0,0]", "asks feature 4")]
    [InlineData("\"trees\"", "\"wood\"", "'trees' is missing")]
    [InlineData("\"tree_info\":[0]", "\"tree_info\":[3]", "is of class 3")]
    [InlineData("{\"learner\"", "{learner", "it is not JSON")]
    public void Faults_are_named(string part, string other, string expected)
    {
        var text = Stump(0.5f);
        Assert.Contains(part, text);
        Assert.Contains(expected, Assert.Throws<ModelFormatException>(() => XGBoostJson.Parse(text.Replace(part, other, StringComparison.Ordinal), "here.json")).Message);
    }

    [Theory]
    [InlineData("tree\n", "FromLightGbm")]
    [InlineData("tree\r\n", "FromLightGbm")]
    [InlineData("treasure", "it is not JSON")]
    [InlineData("\"", "it is not JSON")]
    [InlineData("{\"learner\":{\"learner_model_param\":{\"num_feature\":\"", "it is not JSON")]
    public void Errors_never_quote_a_whole_file(string start, string expected)
    {
        var error = Assert.Throws<ModelFormatException>(() => XGBoostJson.Parse(start + new string('x', 40_000), "here.json"));
        Assert.Contains(expected, error.Message);
        Assert.InRange(error.ToString().Length, 1, 5_000);
        var longName = Stump(0.5f).Replace("gbtree", new string('g', 40_000), StringComparison.Ordinal);
        Assert.InRange(Assert.Throws<ModelFormatException>(() => XGBoostJson.Parse(longName)).Message.Length, 1, 1_000);
    }

    [Fact]
    public void Files_with_wrong_characters_predict_or_are_named_errors()
    {
        const string signs = "0123456789-.eE[]{},:\"N";
        var whole = File.ReadAllText(StoredTable.PathOf("xgboost/categorical.json"));
        var random = new Random(9);
        var row = new double[6];
        var refused = 0;
        for (var round = 0; round < 600; round++)
        {
            var text = new StringBuilder(whole);
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                var at = random.Next(text.Length);
                if (random.Next(2) == 0) text[at] = signs[random.Next(signs.Length)];
                else text.Remove(at, Math.Min(text.Length - at, random.Next(1, 9)));
            }
            try
            {
                var predictor = new TreePredictor(XGBoostJson.Parse(text.ToString()));
                if (predictor.FeatureCount == row.Length) predictor.Contributions(row, new double[predictor.ScoreCount * 7]);
            }
            catch (ModelFormatException)
            {
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"round {round}: {e}");
            }
        }
        Assert.InRange(refused, 100, 599);
    }

    private static TreeEnsemble Model(string name) => XGBoostJson.Read(StoredTable.PathOf($"xgboost/{name}.json"));

    private delegate void Predict(ReadOnlySpan<double> row, Span<double> result);

    private static void Compare(string name, string kind, int width, Predict predict)
    {
        var rows = StoredTable.Read("xgboost/rows.tsv");
        var expected = StoredTable.Read($"xgboost/{name}.{kind}.tsv");
        Assert.Equal(rows.Length, expected.Length);
        var actual = new double[width];
        for (var i = 0; i < rows.Length; i++)
        {
            predict(rows[i], actual);
            Assert.Equal(width, expected[i].Length);

            // XGBoost adds in single precision.
            for (var j = 0; j < width; j++)
                Assert.True(Math.Abs(actual[j] - expected[i][j]) <= 4e-6 * Math.Max(1, Math.Abs(expected[i][j])), $"{name} {kind}, row {i}, number {j}: {actual[j]:R}, expected {expected[i][j]:R}");
        }
    }

    private static string Stump(float condition) => """
        {"learner":{"attributes":{},"feature_names":[],"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1"},"tree_info":[0],"trees":[
        {"base_weights":[0,0,0],"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],"default_left":[0,0,0],"id":0,
        "left_children":[1,-1,-1],"right_children":[2,-1,-1],"loss_changes":[1,0,0],"split_conditions":[CONDITION,-1,1],"split_indices":[0,0,0],"split_type":[0,0,0],
        "sum_hessian":[5,2,3]}]},"name":"gbtree"},"learner_model_param":{"base_score":"0","num_class":"0","num_feature":"1"},
        "objective":{"name":"reg:squarederror"}},"version":[1,7,4]}
        """.Replace("\n", "", StringComparison.Ordinal).Replace("CONDITION", condition.ToString("R", CultureInfo.InvariantCulture), StringComparison.Ordinal);
}
