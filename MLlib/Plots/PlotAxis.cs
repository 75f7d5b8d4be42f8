using System.Globalization;

namespace Dataflow.MLlib.Plots;

/// <summary>Numbers along an axis: from where to where, and which of them are written (steps of 1, 2 or 5 times a power of ten; Heckbert 1990).</summary>
internal sealed class PlotAxis
{
    private PlotAxis(double low, double high, double step)
    {
        (Low, High, Step) = (low, high, step);
        var first = (long)Math.Ceiling((low / step) - 1e-9);
        var last = (long)Math.Floor((high / step) + 1e-9);
        Ticks = [.. Enumerable.Range(0, (int)Math.Clamp(last - first + 1, 0, 100)).Select(i => (first + i) * step)];
        Labels = [.. Ticks.Select(tick => Text(tick, step))];
    }

    public double Low { get; }

    public double High { get; }

    public double Step { get; }

    public IReadOnlyList<double> Ticks { get; }

    public IReadOnlyList<string> Labels { get; }

    /// <summary>An axis for some values.</summary>
    /// <param name="least">The smallest value.</param>
    /// <param name="most">The largest value.</param>
    /// <param name="count">About how many ticks.</param>
    /// <param name="snaps">Whether it begins and ends at ticks.</param>
    /// <param name="whole">Whether ticks are whole numbers.</param>
    public static PlotAxis Of(double least, double most, int count, bool snaps, bool whole = false)
    {
        if (!(most > least))
        {
            var room = least == 0 ? 1 : Math.Abs(least) * 0.1;
            (least, most) = (least - room, most + room);
        }

        // Differences below what doubles tell apart would make steps of nothing.
        var step = Math.Max(NiceStep((most - least) / Math.Max(2, count)), Math.Max(Math.Abs(least), Math.Abs(most)) * 1e-13);
        if (whole) step = Math.Max(1, step);
        return snaps ? new PlotAxis(Math.Floor((least / step) + 1e-9) * step, Math.Ceiling((most / step) - 1e-9) * step, step) : new PlotAxis(least, most, step);
    }

    /// <summary>An axis from 0 to 1.</summary>
    public static PlotAxis Share() => new(0, 1, 0.2);

    /// <summary>How far along the axis a value lies, 0 to 1.</summary>
    public double Place(double value) => (value - Low) / (High - Low);

    /// <summary>A number by itself.</summary>
    public static string Text(double value)
    {
        if (value == Math.Truncate(value) && Math.Abs(value) < 1e15) return value.ToString("#,0", CultureInfo.InvariantCulture);
        return Math.Abs(value) is >= 1e-4 and < 1e7 ? value.ToString("0.####", CultureInfo.InvariantCulture) : value.ToString("0.###e0", CultureInfo.InvariantCulture);
    }

    // With as many digits as the step needs, so that all ticks have as many.
    private static string Text(double value, double step)
    {
        if (Math.Abs(value) < step / 2) value = 0;
        var digits = (int)Math.Max(0, -Math.Floor(Math.Log10(step) + 1e-9));
        if (Math.Abs(value) >= 1e7 || digits > 7) return value.ToString("0.####e0", CultureInfo.InvariantCulture);
        return value.ToString("#,0" + (digits > 0 ? "." + new string('0', digits) : ""), CultureInfo.InvariantCulture);
    }

    private static double NiceStep(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var lead = rough / power;
        return (lead <= 1.0000001 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
    }
}
