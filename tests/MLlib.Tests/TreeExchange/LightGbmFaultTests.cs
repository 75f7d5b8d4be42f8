using System.Text;
using Dataflow.MLlib.TreeExchange;
using Dataflow.MLlib.TreeModels;

namespace Dataflow.MLlib.Tests.TreeExchange;

/// <summary>Files that are no good: a named error with its line, or a model that predicts; never anything else.</summary>
public sealed class LightGbmFaultTests
{
    private static readonly string Text = File.ReadAllText(StoredTable.PathOf("lightgbm-synthetic/regression.model.txt"));

    [Theory]
    [InlineData("tree\n", "forest\n", 1, "the first line is not 'tree'")]
    [InlineData("version=v4", "version=v9", 2, "v9 is not known")]
    [InlineData("num_class=1", "num_class=one", 3, "'one' of num_class is not a whole number")]
    [InlineData("num_class=1", "num_class=99999999999", 3, "not a whole number")]
    [InlineData("max_feature_idx=11", "max_feature_idx=2147483646", 8, "max_feature_idx says 2147483647 features")]
    [InlineData("max_feature_idx=11", "max_feature_idx=10", 8, "feature_names has 12 entries")]
    [InlineData("Tree=1\n", "Tree=2\n", 33, "Tree=1 was expected")]
    [InlineData("num_leaves=15", "num_leaves=16", 21, "num_leaves and num_cat of this tree say 16")]
    [InlineData("num_leaves=15", "num_leaves=2147483647", 21, "say 2147483647")]
    [InlineData("is_linear=0", "is_linear=1", 0, "linear models in its leaves")]
    [InlineData("shrinkage=1\n", "shrinkage=1e999\n", 0, "'1e999' of shrinkage is not a finite number")]
    [InlineData("end of trees", "end of wood", 0, "cut off")]
    [InlineData("end of parameters", "end", 0, "cut off")]
    public void A_fault_is_named_with_its_line(string part, string other, int line, string expected)
    {
        var at = Text.IndexOf(part, StringComparison.Ordinal);
        var error = Assert.Throws<ModelFormatException>(() => LightGbmText.Parse(Text[..at] + other + Text[(at + part.Length)..], "here.txt"));
        Assert.Contains(expected, error.Message);
        Assert.StartsWith("here.txt, line ", error.Message);
        if (line > 0) Assert.True(error.Line == line, error.Message);
    }

    [Fact]
    public void Files_cut_off_anywhere_are_named_errors()
    {
        var end = Text.IndexOf("end of trees", StringComparison.Ordinal);
        for (var length = 0; length < end; length += 97)
            Assert.Throws<ModelFormatException>(() => LightGbmText.Parse(Text[..length]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Files_with_wrong_characters_predict_or_are_named_errors(int seed)
    {
        const string signs = "0123456789-+.e= :[]\nTnai";
        var random = new Random(seed);
        var row = new double[12];
        var small = Shorter(Text);
        var refused = 0;
        for (var round = 0; round < 1_500; round++)
        {
            var text = new StringBuilder(small);
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                var at = random.Next(text.Length);
                var form = random.Next(3);
                if (form == 0) text[at] = signs[random.Next(signs.Length)];
                else if (form == 1) text.Remove(at, Math.Min(text.Length - at, random.Next(1, 30)));
                else text.Insert(at, signs[random.Next(signs.Length)]);
            }
            try
            {
                var predictor = new TreePredictor(LightGbmText.Parse(text.ToString()));
                if (predictor.FeatureCount != row.Length) continue;
                var scores = new double[predictor.ScoreCount];
                predictor.Scores(row, scores);
                predictor.Contributions(row, new double[predictor.ScoreCount * (row.Length + 1)]);
            }
            catch (ModelFormatException)
            {
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {round}: {e}\n{text}");
            }
        }
        Assert.InRange(refused, 300, 1_499);
    }

    // Two trees, without the parameters.
    private static string Shorter(string text)
    {
        var sizes = text.IndexOf("tree_sizes=", StringComparison.Ordinal);
        return text[..sizes] + text[(text.IndexOf('\n', sizes) + 1)..text.IndexOf("Tree=2\n", StringComparison.Ordinal)] + "end of trees\n";
    }
}
