using System.Text;

namespace Dataflow.Sql;

/// <summary>Draws rows as a table of text.</summary>
internal static class TableRenderer
{
    /// <summary>A table.</summary>
    /// <param name="schema">The columns.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="truncate">Most characters of a value; longer ones end with dots. 0 shows all.</param>
    public static string Render(Schema schema, IReadOnlyList<Row> rows, int truncate)
    {
        var cells = rows.Select(row => Enumerable.Range(0, row.Count).Select(i => Cut(row.TextOf(i), truncate)).ToArray()).ToList();
        var widths = schema.Select((column, i) => cells.Select(row => row[i].Length).Append(column.Name.Length).Append(1).Max()).ToArray();
        var line = "+" + string.Concat(widths.Select(width => new string('-', width + 2) + "+")) + "\n";
        var text = new StringBuilder(line);
        AddRow(schema.Select(column => column.Name));
        text.Append(line);
        foreach (var row in cells) AddRow(row);
        return text.Append(line).ToString();

        void AddRow(IEnumerable<string> values)
        {
            foreach (var (value, i) in values.Select((value, i) => (value, i)))
            {
                var padded = schema[i].Type.IsNumber ? value.PadLeft(widths[i]) : value.PadRight(widths[i]);
                text.Append("| ").Append(padded).Append(' ');
            }
            text.Append("|\n");
        }
    }

    private static string Cut(string value, int truncate) => truncate > 0 && value.Length > truncate ? string.Concat(value.AsSpan(0, Math.Max(0, truncate - 3)), "...") : value;
}
