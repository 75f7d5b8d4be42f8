namespace Dataflow.MLlib.Plots;

/// <summary>Curves over one pair of axes, with a legend above them if there are several.</summary>
internal sealed record LinePlot(IReadOnlyList<PlotSeries> Series) : Plot
{
    private const double Right = 24;

    /// <summary>Whether both axes go from 0 to 1.</summary>
    public bool IsShare { get; init; }

    /// <summary>Whether the diagonal is drawn.</summary>
    public bool HasDiagonal { get; init; }

    internal override void Draw(SvgCanvas canvas)
    {
        var points = Series.SelectMany(series => series.Points).Where(IsDrawn).ToArray();
        if (points.Length == 0) throw new InvalidOperationException("No curve has a point that is a number. Give points.");
        var xs = IsShare ? PlotAxis.Share() : PlotAxis.Of(points.Min(point => point.X), points.Max(point => point.X), canvas.Width / 110, snaps: false, whole: points.All(point => point.X == Math.Truncate(point.X)));
        var ys = IsShare ? PlotAxis.Share() : PlotAxis.Of(points.Min(point => point.Y), points.Max(point => point.Y), canvas.Height / 70, snaps: true);
        var left = 26 + ys.Labels.Max(label => SvgCanvas.WidthOf(label, 12)) + (YLabel.Length > 0 ? 24 : 0);
        var top = PlotParts.Title(canvas, Title);
        top = Series.Count > 1 || HasDiagonal || IsShare ? Legend(canvas, left, top) : top + 4;
        var bottom = canvas.Height - (XLabel.Length > 0 ? 62 : 38.0);
        var (width, height) = (canvas.Width - left - Right, bottom - top);
        double X(double value) => left + (xs.Place(value) * width);
        double Y(double value) => bottom - (ys.Place(value) * height);

        for (var i = 0; i < ys.Ticks.Count; i++)
        {
            canvas.Line(left, Y(ys.Ticks[i]), left + width, Y(ys.Ticks[i]), SvgCanvas.Grid);
            canvas.Text(left - 8, Y(ys.Ticks[i]) + 4, ys.Labels[i], 12, anchor: Anchor.End);
        }
        for (var i = 0; i < xs.Ticks.Count; i++)
        {
            if (IsShare) canvas.Line(X(xs.Ticks[i]), top, X(xs.Ticks[i]), bottom, SvgCanvas.Grid);
            canvas.Line(X(xs.Ticks[i]), bottom, X(xs.Ticks[i]), bottom + 5, SvgCanvas.Frame);
            canvas.Text(X(xs.Ticks[i]), bottom + 20, xs.Labels[i], 12, anchor: Anchor.Middle);
        }
        if (HasDiagonal) canvas.Line(X(0), Y(0), X(1), Y(1), SvgCanvas.Frame, 1.2, "5 4");
        canvas.Line(left, bottom, left + width, bottom, SvgCanvas.Frame);
        for (var i = 0; i < Series.Count; i++) DrawSeries(canvas, Series[i], SvgCanvas.Color(i), X, Y);
        PlotParts.AxisNames(canvas, this, left, left + width, top, bottom);
    }

    // Differences of larger numbers would be infinite.
    private static bool IsDrawn((double X, double Y) point) => Math.Abs(point.X) < 1e307 && Math.Abs(point.Y) < 1e307;

    private static void DrawSeries(SvgCanvas canvas, PlotSeries series, string color, Func<double, double> x, Func<double, double> y)
    {
        var run = new List<(double X, double Y)>();
        foreach (var point in series.Points)
        {
            if (IsDrawn(point)) Add(run, (x(point.X), y(point.Y)));
            else Flush();
        }
        Flush();

        void Flush()
        {
            if (run.Count == 1) canvas.Circle(run[0].X, run[0].Y, 3.5, color);
            else if (run.Count > 1) canvas.Curve(run, color, 2);
            run.Clear();
        }
    }

    // Of many points within a pixel, the first, the last, the highest and the lowest are enough; those before the last two go.
    private static void Add(List<(double X, double Y)> run, (double X, double Y) point)
    {
        if (run.Count >= 3)
        {
            var (a, b, c) = (run[^3], run[^2], run[^1]);
            var isStraight = Math.Abs(((b.X - a.X) * (c.Y - a.Y)) - ((c.X - a.X) * (b.Y - a.Y))) < 0.05 * (1 + Math.Abs(c.X - a.X) + Math.Abs(c.Y - a.Y));
            var isBetween = b.X >= Math.Min(a.X, c.X) && b.X <= Math.Max(a.X, c.X) && b.Y >= Math.Min(a.Y, c.Y) - 0.1 && b.Y <= Math.Max(a.Y, c.Y) + 0.1;
            if (isStraight && isBetween && Math.Abs(c.X - a.X) + Math.Abs(c.Y - a.Y) < 3) run.RemoveAt(run.Count - 2);
        }
        run.Add(point);
    }

    private double Legend(SvgCanvas canvas, double left, double top)
    {
        var (x, y) = (left, top + 8);
        List<(string Name, string Color, bool Dashed)> entries = [.. Series.Select((series, i) => (series.Name, SvgCanvas.Color(i), false))];
        if (HasDiagonal) entries.Add(("chance", SvgCanvas.Frame, true));
        foreach (var (name, color, dashed) in entries)
        {
            var text = SvgCanvas.Fit(name, 12.5, canvas.Width - left - Right - 40);
            var needs = 34 + SvgCanvas.WidthOf(text, 12.5);
            if (x > left && x + needs > canvas.Width - Right)
            {
                x = left;
                y += 20;
            }
            canvas.Line(x, y - 4, x + 22, y - 4, color, dashed ? 1.5 : 3, dashed ? "5 4" : "");
            canvas.Text(x + 28, y, text, 12.5, SvgCanvas.Ink);
            x += needs + 16;
        }
        return y + 16;
    }
}
