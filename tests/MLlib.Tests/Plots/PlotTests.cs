using System.Xml.Linq;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Plots;

/// <summary>Pictures for reports.</summary>
public sealed class PlotTests
{
    private static readonly (double, double)[] Wave = [.. Enumerable.Range(1, 100).Select(i => ((double)i, 0.3 + (0.4 / i)))];

    [Fact]
    public void Names_with_signs_of_XML_or_none_at_all_stay_what_they_are()
    {
        var svg = XDocument.Parse((Plot.Lines(new PlotSeries("a<b> & \"c\" \u0001 \ud83d\ude00 \ud800", Wave), new PlotSeries("b", Wave)) with { Title = "x < y & z", YLabel = "]]>" }).ToSvg());
        string[] texts = [.. svg.Descendants().Where(each => each.Name.LocalName == "text").Select(each => each.Value)];
        Assert.Contains("x < y & z", texts);
        Assert.Contains("a<b> & \"c\" \uFFFD \ud83d\ude00 \uFFFD", texts);
        Assert.Contains("]]>", texts);
        Assert.Equal(2, svg.Descendants().Count(each => each.Name.LocalName == "polyline"));
    }

    [Fact]
    public void Curves_keep_their_shape_with_few_points_and_break_where_there_is_no_number()
    {
        var many = Enumerable.Range(0, 100_000).Select(i => (i / 1e5, i / 1e5)).ToArray();
        var svg = Plot.Lines(new PlotSeries("line", many)).ToSvg();
        Assert.InRange(svg.Length, 1000, 40_000);
        var broken = Plot.Lines(new PlotSeries("broken", [1, 2, double.NaN, 4, 5, double.PositiveInfinity, 7])).ToSvg();
        Assert.Equal(2, broken.Split("<polyline").Length - 1);
        Assert.Equal(1, broken.Split("<circle").Length - 1);
    }

    [Theory]
    [InlineData(0, 1, "0.0,0.2,0.4,0.6,0.8,1.0")]
    [InlineData(0.001, 0.0042, "0.001,0.002,0.003,0.004,0.005")]
    [InlineData(-3, 12, "-5,0,5,10,15")]
    [InlineData(0, 60_000, "0,20,000,40,000,60,000")]
    [InlineData(5, 5, "4.4,4.6,4.8,5.0,5.2,5.4,5.6")]
    public void Axes_have_round_numbers(double least, double most, string labels) =>
        Assert.Equal(labels, string.Join(',', Dataflow.MLlib.Plots.PlotAxis.Of(least, most, 5, snaps: true).Labels));

    [Theory]
    [InlineData(1e300, 2e300)]
    [InlineData(1e15, 1e15 + 1)]
    [InlineData(-1e-300, 1e-300)]
    [InlineData(-9e306, 9e306)]
    public void Extreme_numbers_still_make_a_picture(double least, double most) =>
        Assert.DoesNotContain("NaN", XDocument.Parse(Plot.Lines(new PlotSeries("far", [least, most])).ToSvg()).ToString());

    [Fact]
    public void Measured_curves_and_matrices_are_drawn_and_saved()
    {
        using var context = DataflowContext.Local(1);
        using var folder = new TempDirectory();
        var frame = context.FromRecords(Enumerable.Range(0, 200).Select(i => (label: i % 2, score: ((i * 37 % 100) + (i % 2 * 40)) / 140.0, prediction: i % 3 == 0 ? 0 : i % 2))).ToDataFrame("label", "probability", "prediction");
        var binary = new BinaryClassificationEvaluator().Measure(frame);
        var multi = new MulticlassClassificationEvaluator().Measure(frame);
        foreach (var (plot, name) in new[] { (Plot.Roc(("model", binary)), "roc"), (Plot.PrecisionRecall(("model", binary)), "pr"), (Plot.ConfusionMatrix(multi, ["no", "yes"]), "matrix"), (Plot.Bars(("age", 3.5), ("income", -1)), "bars") })
        {
            var path = Path.Combine(folder.Path, "plots", name + ".svg");
            plot.Save(path);
            plot.Save(path);
            Assert.Equal("svg", XDocument.Load(path).Root!.Name.LocalName);
        }
        Assert.Contains("accuracy", Plot.ConfusionMatrix(multi).ToSvg());
        Assert.Contains("2 classes and 1 names", Assert.Throws<ArgumentException>(() => Plot.ConfusionMatrix(multi, ["no"])).Message);
        var oneClass = new BinaryClassificationEvaluator().Measure(frame.Where("label = 1"));
        Assert.Contains("one class", Assert.Throws<ArgumentException>(() => Plot.Roc(("bad", oneClass))).Message);
        Assert.Throws<ArgumentException>(() => Plot.Lines());
        Assert.Throws<ArgumentException>(() => Plot.Bars(("x", double.NaN)));
        Assert.Contains("No curve has a point", Assert.Throws<InvalidOperationException>(() => Plot.Lines(new PlotSeries("x", [double.NaN])).ToSvg()).Message);
    }
}
