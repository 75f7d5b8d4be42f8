namespace Dataflow.MLlib.Plots;

/// <summary>A square of counts as a heat map: colours are shares of each row.</summary>
internal sealed record MatrixPlot(double[,] Counts, IReadOnlyList<string> Names) : Plot
{
    internal override void Draw(SvgCanvas canvas)
    {
        var n = Names.Count;
        var top = PlotParts.Title(canvas, Title) + 6;
        var longest = Names.Max(name => SvgCanvas.WidthOf(name, 12));
        var left = Math.Min(canvas.Width / 3.0, 18 + longest + (YLabel.Length > 0 ? 26 : 0));
        var below = XLabel.Length > 0 ? 34.0 : 10;
        var isTurned = longest > Math.Max(14, (canvas.Width - left - 20) / n) - 6;
        var names = isTurned ? Math.Min(canvas.Height / 4.0, longest + 12) : 24;
        var size = Math.Min((canvas.Width - left - 20) / n, (canvas.Height - top - below - names) / n);
        left += Math.Max(0, (canvas.Width - left - 20 - (size * n)) / 2);
        var bottom = top + (size * n);
        for (var i = 0; i < n; i++)
        {
            double all = 0;
            for (var j = 0; j < n; j++) all += Counts[i, j];
            for (var j = 0; j < n; j++) Cell(canvas, left + (j * size), top + (i * size), size, Counts[i, j], all > 0 ? Counts[i, j] / all : 0);
        }

        // Names that would stand on each other are left out.
        var every = Math.Max(1, (int)Math.Ceiling(14 / size));
        for (var i = 0; i < n; i += every)
        {
            var middle = (i + 0.5) * size;
            canvas.Text(left - 8, top + middle + 4, SvgCanvas.Fit(Names[i], 12, (canvas.Width / 3.0) - 44), 12, SvgCanvas.Ink, Anchor.End);
            if (isTurned) canvas.Text(left + middle + 4, bottom + 10, SvgCanvas.Fit(Names[i], 12, names - 8), 12, SvgCanvas.Ink, Anchor.End, turn: -90);
            else canvas.Text(left + middle, bottom + 18, Names[i], 12, SvgCanvas.Ink, Anchor.Middle);
        }
        if (XLabel.Length > 0) canvas.Text(left + (size * n / 2), Math.Min(canvas.Height - 12, bottom + names + 20), XLabel, 13, SvgCanvas.Ink, Anchor.Middle);
        if (YLabel.Length > 0)
            canvas.Text(Math.Max(20, left - Math.Min(longest, (canvas.Width / 3.0) - 44) - 22), top + (size * n / 2), YLabel, 13, SvgCanvas.Ink, Anchor.Middle, turn: -90);
    }

    private static void Cell(SvgCanvas canvas, double x, double y, double size, double count, double share)
    {
        var gap = size > 20 ? 0.75 : 0.3;
        canvas.Rectangle(x + gap, y + gap, size - (2 * gap), size - (2 * gap), Shade(share), size > 20 ? 3 : 0);
        var text = PlotAxis.Text(count == Math.Truncate(count) ? count : Math.Round(count, 1));
        var font = Math.Min(15, Math.Min(size * 0.3, size * 0.74 / Math.Max(0.3, SvgCanvas.WidthOf(text, 1))));
        if (font < 6) return;
        var ink = share > 0.5 ? "#ffffff" : count == 0 ? SvgCanvas.Frame : SvgCanvas.Ink;
        var hasShare = size >= 52 && count > 0;
        canvas.Text(x + (size / 2), y + (size / 2) + (hasShare ? -1 : font * 0.36), text, font, ink, Anchor.Middle, bold: share > 0.5);
        if (hasShare)
            canvas.Text(x + (size / 2), y + (size / 2) + 15, FormattableString.Invariant($"{share * 100:0.0} %"), 11, ink, Anchor.Middle);
    }

    // From nearly white to blue; the root makes small shares, which are the errors, visible.
    private static string Shade(double share)
    {
        var t = Math.Sqrt(share);
        int Mix(int from, int to) => (int)Math.Round(from + (t * (to - from)));
        return $"#{Mix(0xF3, 0x1D):x2}{Mix(0xF5, 0x4E):x2}{Mix(0xF9, 0xD8):x2}";
    }
}
