using System.Globalization;

namespace Dataflow;

/// <summary>Writes sizes for people.</summary>
internal static class Size
{
    /// <summary>A size in the largest unit that leaves a number above 1: <c>1.5 GB</c>. Units are powers of 1,024.</summary>
    public static string Of(long bytes)
    {
        ReadOnlySpan<string> units = ["KB", "MB", "GB", "TB", "PB"];
        if (Math.Abs(bytes) < 1024) return string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes");
        var value = bytes / 1024.0;
        var unit = 0;
        while (Math.Abs(value) >= 1024 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }
}
