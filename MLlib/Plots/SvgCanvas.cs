using System.Globalization;
using System.Text;

namespace Dataflow.MLlib.Plots;

/// <summary>Where a text stands relative to its place.</summary>
internal enum Anchor
{
    Start,
    Middle,
    End,
}

/// <summary>Writes shapes and texts as SVG. Places are pixels from the top left corner.</summary>
internal sealed class SvgCanvas
{
    public const string Ink = "#1f2430";
    public const string Quiet = "#5c6370";
    public const string Grid = "#e6e8ec";
    public const string Frame = "#9aa1ad";

    private static readonly string[] Colors = ["#2563eb", "#ea580c", "#16a34a", "#9333ea", "#dc2626", "#0891b2", "#ca8a04", "#db2777"];

    private readonly StringBuilder _text = new();

    public SvgCanvas(int width, int height)
    {
        Width = width;
        Height = height;
        _text.Append(CultureInfo.InvariantCulture, $"""
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif">
            <rect width="{width}" height="{height}" fill="#ffffff"/>

            """);
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>The color of a series.</summary>
    public static string Color(int series) => Colors[series % Colors.Length];

    /// <summary>About how wide a text is.</summary>
    public static double WidthOf(string text, double size) => size * text.Sum(each => each switch
    {
        'i' or 'j' or 'l' or '.' or ',' or ':' or ';' or '|' or '\'' or '!' or 'I' or ' ' => 0.34,
        'f' or 't' or 'r' or '(' or ')' or '-' => 0.42,
        'm' or 'w' or 'M' or 'W' or '%' or '@' => 0.92,
        >= 'A' and <= 'Z' => 0.70,
        < '\u2E80' => 0.61,
        _ => 1.05,
    });

    /// <summary>As much of a text as has room, with an ellipsis in the place of the rest.</summary>
    public static string Fit(string text, double size, double room)
    {
        if (WidthOf(text, size) <= room) return text;
        var end = text.Length;
        while (end > 1 && WidthOf(text[..end] + "…", size) > room) end--;
        if (char.IsHighSurrogate(text[end - 1])) end--;
        return text[..end] + "…";
    }

    public void Line(double x1, double y1, double x2, double y2, string color, double width = 1, string dash = "") =>
        _text.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x1:0.##}\" y1=\"{y1:0.##}\" x2=\"{x2:0.##}\" y2=\"{y2:0.##}\" stroke=\"{color}\" stroke-width=\"{width:0.##}\"{Dash(dash)}/>\n");

    public void Rectangle(double x, double y, double width, double height, string fill, double radius = 0) =>
        _text.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x:0.##}\" y=\"{y:0.##}\" width=\"{Math.Max(0, width):0.##}\" height=\"{Math.Max(0, height):0.##}\" fill=\"{fill}\"{(radius > 0 ? FormattableString.Invariant($" rx=\"{radius:0.##}\"") : "")}/>\n");

    public void Circle(double x, double y, double radius, string fill) =>
        _text.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{x:0.##}\" cy=\"{y:0.##}\" r=\"{radius:0.##}\" fill=\"{fill}\"/>\n");

    public void Curve(IReadOnlyList<(double X, double Y)> points, string color, double width)
    {
        _text.Append("<polyline fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"round\" points=\"");
        for (var i = 0; i < points.Count; i++) _text.Append(CultureInfo.InvariantCulture, $"{(i > 0 ? " " : "")}{points[i].X:0.#},{points[i].Y:0.#}");
        _text.Append(CultureInfo.InvariantCulture, $"\" stroke=\"{color}\" stroke-width=\"{width:0.##}\"/>\n");
    }

    /// <summary>A text; y is its base line.</summary>
    public void Text(double x, double y, string text, double size, string color = Quiet, Anchor anchor = Anchor.Start, bool bold = false, double turn = 0)
    {
        var place = anchor switch { Anchor.Middle => " text-anchor=\"middle\"", Anchor.End => " text-anchor=\"end\"", _ => "" };
        var turned = turn != 0 ? FormattableString.Invariant($" transform=\"rotate({turn:0.##} {x:0.##} {y:0.##})\"") : "";
        _text.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.##}\" y=\"{y:0.##}\" font-size=\"{size:0.##}\" fill=\"{color}\"{place}{(bold ? " font-weight=\"600\"" : "")}{turned}>{Escaped(text)}</text>\n");
    }

    public override string ToString() => $"{_text}</svg>\n";

    private static string Dash(string dash) => dash.Length > 0 ? $" stroke-dasharray=\"{dash}\"" : "";

    // What XML has no form for becomes the sign for that.
    private static string Escaped(string text)
    {
        var clean = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var each = text[i];
            if (char.IsHighSurrogate(each) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) clean.Append(each).Append(text[++i]);
            else clean.Append(each switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\t' or '\n' or '\r' => " ",
                < ' ' or '\uFFFE' or '\uFFFF' => "\uFFFD",
                _ => char.IsSurrogate(each) ? "\uFFFD" : each.ToString(),
            });
        }
        return clean.ToString();
    }
}
