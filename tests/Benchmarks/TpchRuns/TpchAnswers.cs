using System.Globalization;
using System.Text;
using Dataflow.Sql;

namespace Dataflow.Benchmarks.TpchRuns;

/// <summary>Compares rows with stored answers: equal to the last digit, but for averages and quotients, which are stored as doubles.</summary>
internal static class TpchAnswers
{
    /// <summary>What differs; null if nothing does.</summary>
    /// <param name="rows">The rows, in order.</param>
    /// <param name="path">A CSV file with a header.</param>
    public static string? Difference(IReadOnlyList<Row> rows, string path)
    {
        var lines = File.ReadAllLines(path);
        if (lines.Length - 1 != rows.Count) return $"{rows.Count} rows, and {lines.Length - 1} are right";
        for (var i = 0; i < rows.Count; i++)
        {
            var cells = Split(lines[i + 1]);
            if (cells.Count != rows[i].Count) return $"{rows[i].Count} columns, and {cells.Count} are right";
            for (var column = 0; column < cells.Count; column++)
            {
                if (!AreEqual(rows[i][column], cells[column])) return $"row {i + 1}, column {rows[i].Schema[column].Name}: {Text(rows[i][column])}, and {cells[column]} is right";
            }
        }
        return null;
    }

    /// <summary>Writes rows as CSV with a header.</summary>
    public static void Write(Schema schema, IReadOnlyList<Row> rows, string path)
    {
        using var file = new StreamWriter(path);
        file.WriteLine(string.Join(',', schema.Select(column => Quoted(column.Name))));
        foreach (var row in rows) file.WriteLine(string.Join(',', row.Select(value => Quoted(Text(value)))));
    }

    private static bool AreEqual(object? value, string cell)
    {
        var text = Text(value);
        if (text == cell) return true;
        if (value is double number && double.TryParse(cell, CultureInfo.InvariantCulture, out var right)) return Math.Abs(number - right) <= 1e-9 * Math.Abs(right);
        return value is decimal exact && decimal.TryParse(cell, NumberStyles.Any, CultureInfo.InvariantCulture, out var stored)
            && decimal.Round(stored, exact.Scale, MidpointRounding.AwayFromZero) == exact;
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        DateOnly day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        byte[] bytes => Convert.ToHexString(bytes),
        DateTimeOffset time => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture),
        DateTime time => time.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static string Quoted(string text) => text.AsSpan().IndexOfAny(",\"\n\r") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static List<string> Split(string line)
    {
        var cells = new List<string>();
        var cell = new StringBuilder();
        var isQuoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '"' && isQuoted && i + 1 < line.Length && line[i + 1] == '"')
            {
                cell.Append(line[i++]);
            }
            else if (line[i] == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (line[i] == ',' && !isQuoted)
            {
                cells.Add(cell.ToString());
                cell.Clear();
            }
            else
            {
                cell.Append(line[i]);
            }
        }
        cells.Add(cell.ToString());
        return cells;
    }
}
