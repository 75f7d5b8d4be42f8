using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dataflow.Sql;

namespace Dataflow.Worker.Shell;

/// <summary>Writes what statements gave.</summary>
internal sealed class ResultPrinter(OutputFormat format, TextWriter output)
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the rows of a statement. Statements without columns, such as CREATE VIEW, write nothing but in jsonl.</summary>
    public void Print(string statement, Schema schema, IReadOnlyList<Row> rows, TimeSpan time)
    {
        if (schema.Count == 0 && format != OutputFormat.Jsonl) return;
        switch (format)
        {
            case OutputFormat.Table:
                PrintTable(schema, rows);
                break;
            case OutputFormat.Csv:
                output.WriteLine(string.Join(',', schema.Select(field => Quoted(field.Name))));
                foreach (var row in rows) output.WriteLine(string.Join(',', row.Select((value, i) => value is null ? "" : value is string { Length: 0 } ? "\"\"" : Quoted(row.TextOf(i)))));
                break;
            case OutputFormat.Json:
                output.WriteLine(Json(writer => Objects(writer, schema, rows)));
                break;
            default:
                output.WriteLine(Json(writer => Outcome(writer, statement, schema, rows, time)));
                break;
        }
        output.Flush();
    }

    /// <summary>Writes an error: on standard error, or in jsonl where rows would be.</summary>
    public void PrintError(string statement, Exception error, TimeSpan time)
    {
        var query = error as QueryException;
        if (format != OutputFormat.Jsonl)
        {
            Console.Error.WriteLine(query is null ? $"{error.GetType().Name}: {error.Message}" : $"[{query.ErrorClass}] {error.Message}");
            return;
        }
        output.WriteLine(Json(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("statement", statement);
            writer.WriteStartObject("error");
            writer.WriteString("class", query?.ErrorClass ?? error.GetType().Name);
            writer.WriteString("message", query?.Problem ?? error.Message);
            if (query is { Line: > 0 })
            {
                writer.WriteNumber("line", query.Line);
                writer.WriteNumber("column", query.Column);
            }
            writer.WriteEndObject();
            writer.WriteNumber("milliseconds", Math.Round(time.TotalMilliseconds, 3));
            writer.WriteEndObject();
        }));
        output.Flush();
    }

    /// <summary>Writes a line for people.</summary>
    public void Say(string line)
    {
        if (format == OutputFormat.Table) output.WriteLine(line);
        else Console.Error.WriteLine(line);
        output.Flush();
    }

    private static string Quoted(string text) => text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Json(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, Relaxed)) write(writer);
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static void Objects(Utf8JsonWriter writer, Schema schema, IReadOnlyList<Row> rows)
    {
        writer.WriteStartArray();
        foreach (var row in rows)
        {
            writer.WriteStartObject();
            for (var i = 0; i < schema.Count; i++)
            {
                writer.WritePropertyName(schema[i].Name);
                Value(writer, row, i);
            }
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void Outcome(Utf8JsonWriter writer, string statement, Schema schema, IReadOnlyList<Row> rows, TimeSpan time)
    {
        writer.WriteStartObject();
        writer.WriteString("statement", statement);
        writer.WriteStartArray("columns");
        foreach (var field in schema)
        {
            writer.WriteStartObject();
            writer.WriteString("name", field.Name);
            writer.WriteString("type", field.Type.SqlName);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartArray("rows");
        foreach (var row in rows)
        {
            writer.WriteStartArray();
            for (var i = 0; i < row.Count; i++) Value(writer, row, i);
            writer.WriteEndArray();
        }
        writer.WriteEndArray();
        writer.WriteNumber("milliseconds", Math.Round(time.TotalMilliseconds, 3));
        writer.WriteEndObject();
    }

    // Numbers keep all their digits; what JSON has no number for is text.
    private static void Value(Utf8JsonWriter writer, Row row, int index)
    {
        switch (row[index])
        {
            case null:
                writer.WriteNullValue();
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case sbyte or short or int or long when row.Schema[index].Type.IsInteger:
                writer.WriteNumberValue(Convert.ToInt64(row[index], CultureInfo.InvariantCulture));
                break;
            case float number when float.IsFinite(number):
                writer.WriteNumberValue(number);
                break;
            case double number when double.IsFinite(number):
                writer.WriteNumberValue(number);
                break;
            case decimal or SqlDecimal:
                writer.WriteRawValue(row.TextOf(index), skipInputValidation: true);
                break;
            default:
                writer.WriteStringValue(row.TextOf(index));
                break;
        }
    }

    private void PrintTable(Schema schema, IReadOnlyList<Row> rows)
    {
        // A plan is drawn as it is, not in a box.
        if (schema is [{ Name: "plan" }] && rows is [{ } plan])
        {
            output.WriteLine(plan.TextOf(0).TrimEnd());
            return;
        }
        var cells = rows.Select(row => Enumerable.Range(0, row.Count).Select(i => row.TextOf(i).Replace("\n", "\\n", StringComparison.Ordinal)).ToArray()).ToList();
        var widths = schema.Select((field, i) => cells.Select(row => row[i].Length).Append(field.Name.Length).Max()).ToArray();
        var line = "+" + string.Concat(widths.Select(width => new string('-', width + 2) + "+"));
        output.WriteLine(line);
        WriteRow([.. schema.Select(field => field.Name)]);
        output.WriteLine(line);
        foreach (var row in cells) WriteRow(row);
        output.WriteLine(line);
        output.WriteLine(rows.Count == 1 ? "1 row" : $"{rows.Count.ToString("N0", CultureInfo.InvariantCulture)} rows");

        void WriteRow(string[] values) =>
            output.WriteLine("|" + string.Concat(values.Select((value, i) => $" {(schema[i].Type.IsNumber ? value.PadLeft(widths[i]) : value.PadRight(widths[i]))} |")));
    }
}
