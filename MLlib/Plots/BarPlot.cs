namespace Dataflow.MLlib.Plots;

/// <summary>Horizontal bars with their names at the left and their values at the ends.</summary>
internal sealed record BarPlot(IReadOnlyList<(string Name, double Value)> Items) : Plot
{
    internal override void Draw(SvgCanvas canvas)
    {
        var top = PlotParts.Title(canvas, Title);
        var room = canvas.Width * 0.38;
        var left = 24 + Math.Min(room, Items.Max(bar => SvgCanvas.WidthOf(bar.Name, 12.5))) + (YLabel.Length > 0 ? 22 : 0);
        var values = Items.Select(bar => PlotAxis.Text(Rounded(bar.Value))).ToArray();
        var right = canvas.Width - 26 - values.Max(text => SvgCanvas.WidthOf(text, 12));
        var bottom = canvas.Height - (XLabel.Length > 0 ? 58 : 34.0);
        var axis = PlotAxis.Of(Math.Min(0, Items.Min(bar => bar.Value)), Math.Max(0, Items.Max(bar => bar.Value)) is var most && most == 0 && Items.All(bar => bar.Value == 0) ? 1 : most, canvas.Width / 130, snaps: false);
        double X(double value) => left + (axis.Place(value) * (right - left));
        for (var i = 0; i < axis.Ticks.Count; i++)
        {
            canvas.Line(X(axis.Ticks[i]), top, X(axis.Ticks[i]), bottom, SvgCanvas.Grid);
            canvas.Text(X(axis.Ticks[i]), bottom + 18, axis.Labels[i], 12, anchor: Anchor.Middle);
        }
        var step = (bottom - top) / Items.Count;
        var thickness = Math.Min(22, step * 0.72);
        for (var i = 0; i < Items.Count; i++)
        {
            var middle = top + ((i + 0.5) * step);
            var (from, to) = (X(Math.Min(0, Items[i].Value)), X(Math.Max(0, Items[i].Value)));
            canvas.Rectangle(from, middle - (thickness / 2), Math.Max(to - from, 1), thickness, SvgCanvas.Color(Items[i].Value < 0 ? 1 : 0), Math.Min(2.5, thickness / 4));
            if (step < 11) continue;
            canvas.Text(left - 8, middle + 4, SvgCanvas.Fit(Items[i].Name, 12.5, room), 12.5, SvgCanvas.Ink, Anchor.End);
            canvas.Text(to + 6, middle + 4, values[i], 12);
        }
        canvas.Line(X(0), top, X(0), bottom, SvgCanvas.Frame);
        PlotParts.AxisNames(canvas, this, left, right, top, bottom);
    }

    // Four digits are enough to compare bars.
    private static double Rounded(double value)
    {
        if (value == 0) return 0;
        var digits = 3 - (int)Math.Floor(Math.Log10(Math.Abs(value)));
        return digits is < 0 or > 15 ? Math.Round(value) is var whole && digits < 0 ? whole : value : Math.Round(value, digits);
    }
}
