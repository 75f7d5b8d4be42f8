namespace Dataflow.MLlib.Plots;

/// <summary>What all pictures have.</summary>
internal static class PlotParts
{
    /// <summary>Draws the title, and gives where what is below it may begin.</summary>
    public static double Title(SvgCanvas canvas, string title)
    {
        if (title.Length == 0) return 16;
        canvas.Text(canvas.Width / 2.0, 30, SvgCanvas.Fit(title, 17, canvas.Width - 32), 17, SvgCanvas.Ink, Anchor.Middle, bold: true);
        return 50;
    }

    /// <summary>Draws the names of both axes.</summary>
    public static void AxisNames(SvgCanvas canvas, Plot plot, double left, double right, double top, double bottom)
    {
        if (plot.XLabel.Length > 0)
            canvas.Text((left + right) / 2, canvas.Height - 14, SvgCanvas.Fit(plot.XLabel, 13, right - left), 13, SvgCanvas.Ink, Anchor.Middle);
        if (plot.YLabel.Length > 0) canvas.Text(20, (top + bottom) / 2, SvgCanvas.Fit(plot.YLabel, 13, bottom - top), 13, SvgCanvas.Ink, Anchor.Middle, turn: -90);
    }
}
