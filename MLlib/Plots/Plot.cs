using Dataflow.MLlib.Plots;

namespace Dataflow.MLlib;

/// <summary>
/// A picture for a report: learning curves, ROC curves, confusion matrices, importances. Saved as SVG, which browsers, editors and Markdown pages show and which stays
/// sharp at any size. Immutable: <c>Plot.Lines(series) with { Title = "Log loss" }</c>.
/// </summary>
/// <remarks>Drawn in this process; costs some milliseconds. Curves of millions of points become as many as the picture has pixels.</remarks>
public abstract record Plot
{
    private protected Plot() { }

    /// <summary>What stands above.</summary>
    public string Title { get; init => field = value ?? throw new ArgumentNullException(nameof(Title)); } = "";

    /// <summary>What the horizontal axis shows.</summary>
    public string XLabel { get; init => field = value ?? throw new ArgumentNullException(nameof(XLabel)); } = "";

    /// <summary>What the vertical axis shows.</summary>
    public string YLabel { get; init => field = value ?? throw new ArgumentNullException(nameof(YLabel)); } = "";

    /// <summary>Width in pixels, from 200 to 4,000.</summary>
    public int Width { get; init => field = Check.Between(value, 200, 4000); } = 720;

    /// <summary>Height in pixels, from 150 to 4,000.</summary>
    public int Height { get; init => field = Check.Between(value, 150, 4000); } = 460;

    /// <summary>Curves over one pair of axes: the metric of each round, for training and validation rows.</summary>
    /// <param name="series">The curves.</param>
    /// <exception cref="ArgumentException">There is none, or none has a point.</exception>
    public static Plot Lines(params IReadOnlyList<PlotSeries> series) => new LinePlot(Some(series, nameof(series)));

    /// <summary>ROC curves with their areas, and the diagonal of chance.</summary>
    /// <param name="curves">What <see cref="BinaryClassificationEvaluator.Measure"/> gave, each with a name.</param>
    /// <exception cref="ArgumentException">There is none, or one has rows of one class only.</exception>
    public static Plot Roc(params IReadOnlyList<(string Name, BinaryMetrics Metrics)> curves)
    {
        foreach (var (name, metrics) in Some(curves, nameof(curves)))
        {
            if (double.IsNaN(metrics.AreaUnderRoc))
                throw new ArgumentException($"'{name}' was measured on rows of one class, for which there is no ROC curve.", nameof(curves));
        }
        return new LinePlot([.. curves.Select(curve => new PlotSeries(FormattableString.Invariant($"{curve.Name} (AUC {curve.Metrics.AreaUnderRoc:0.0000})"), curve.Metrics.Roc))])
        {
            Title = "ROC curve", XLabel = "False positive rate", YLabel = "True positive rate", IsShare = true, HasDiagonal = true, Width = 560, Height = 560,
        };
    }

    /// <summary>Curves of precision over recall, with their areas.</summary>
    /// <param name="curves">What <see cref="BinaryClassificationEvaluator.Measure"/> gave, each with a name.</param>
    /// <exception cref="ArgumentException">There is none, or one has no rows of class 1.</exception>
    public static Plot PrecisionRecall(params IReadOnlyList<(string Name, BinaryMetrics Metrics)> curves)
    {
        foreach (var (name, metrics) in Some(curves, nameof(curves)))
        {
            if (double.IsNaN(metrics.AreaUnderPrecisionRecall))
                throw new ArgumentException($"'{name}' was measured on rows of class 0 only, for which there is no recall.", nameof(curves));
        }
        return new LinePlot([.. curves.Select(curve => new PlotSeries(FormattableString.Invariant($"{curve.Name} (AP {curve.Metrics.AveragePrecision:0.0000})"), curve.Metrics.PrecisionRecall))])
        {
            Title = "Precision and recall", XLabel = "Recall", YLabel = "Precision", IsShare = true, Width = 560, Height = 560,
        };
    }

    /// <summary>A confusion matrix as a heat map: how many rows of each class (a row of the picture) were predicted as which (a column). Colours are shares of the row.</summary>
    /// <param name="metrics">What <see cref="MulticlassClassificationEvaluator.Measure"/> gave.</param>
    /// <param name="labels">Names of the classes in the order of <see cref="MulticlassMetrics.Labels"/>; null for their numbers.</param>
    /// <exception cref="ArgumentException">There are not as many names as classes.</exception>
    public static Plot ConfusionMatrix(MulticlassMetrics metrics, IReadOnlyList<string>? labels = null)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        labels ??= [.. metrics.Labels.ToArray().Select(label => PlotAxis.Text(label))];
        if (labels.Count != metrics.Labels.Length)
            throw new ArgumentException($"There are {metrics.Labels.Length} classes and {labels.Count} names.", nameof(labels));
        return new MatrixPlot(metrics.Confusion, labels)
        {
            Title = FormattableString.Invariant($"Confusion matrix (accuracy {metrics.Accuracy:0.0000})"), XLabel = "Predicted", YLabel = "Actual", Width = 620, Height = 600,
        };
    }

    /// <summary>Horizontal bars, from the top: importances of features.</summary>
    /// <param name="bars">Names and lengths, in order. At least one.</param>
    /// <exception cref="ArgumentException">There is none, or a length is no number.</exception>
    public static Plot Bars(params IReadOnlyList<(string Name, double Value)> bars)
    {
        foreach (var (name, value) in Some(bars, nameof(bars)))
        {
            if (!double.IsFinite(value)) throw new ArgumentException($"The bar '{name}' has the length {value}.", nameof(bars));
        }
        return new BarPlot(bars) { Height = Math.Clamp(90 + (bars.Count * 24), 150, 4000) };
    }

    /// <summary>The picture as text of SVG 1.1.</summary>
    public string ToSvg()
    {
        var canvas = new SvgCanvas(Width, Height);
        Draw(canvas);
        return canvas.ToString();
    }

    /// <summary>Writes the picture as an SVG file; one that is there is replaced, missing folders are made.</summary>
    /// <param name="path">The file: <c>roc.svg</c>.</param>
    /// <exception cref="IOException">It can't be written.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
        File.WriteAllText(path, ToSvg());
    }

    internal abstract void Draw(SvgCanvas canvas);

    private static IReadOnlyList<T> Some<T>(IReadOnlyList<T> items, string name)
    {
        ArgumentNullException.ThrowIfNull(items, name);
        return items.Count > 0 ? items : throw new ArgumentException("There is nothing to draw. Give at least one.", name);
    }
}

/// <summary>A curve.</summary>
/// <param name="Name">How the legend calls it.</param>
/// <param name="Points">Its points, in order; the line is broken where one is NaN.</param>
public sealed record PlotSeries(string Name, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>A curve of values at 1, 2, 3 ...: a metric of each round.</summary>
    /// <param name="name">How the legend calls it.</param>
    /// <param name="values">The values.</param>
    public PlotSeries(string name, IEnumerable<double> values) : this(name, [.. values.Select((value, i) => (i + 1.0, value))]) { }
}
