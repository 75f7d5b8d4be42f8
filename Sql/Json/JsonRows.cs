using System.Text;
using System.Text.Json;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Csv;

namespace Dataflow.Sql.Json;

/// <summary>Makes rows of lines that hold JSON objects.</summary>
/// <param name="columns">The columns of the files.</param>
/// <param name="fields">The wanted ones: positions, or one past them for lines that do not fit.</param>
/// <param name="mode">What happens to those.</param>
/// <param name="timeZone">The zone of timestamps that name none.</param>
internal sealed class JsonParser(Schema columns, ValueList<int> fields, MalformedMode mode, string timeZone) : LineParser
{
    public override LineRows Open(TaskArena arena, string path) => new JsonRows(columns, fields, mode, timeZone, arena, path);
}

/// <summary>Rows that are made of JSON objects.</summary>
internal sealed class JsonRows : LineRows
{
    private static readonly JsonReaderOptions Options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 256 };

    private readonly JsonColumn?[] _parsed;
    private readonly JsonColumn[] _all;
    private readonly JsonColumn? _corrupt;
    private readonly byte[][] _names;
    private readonly Dictionary<string, int> _byName = new(StringComparer.OrdinalIgnoreCase);
    private readonly MalformedMode _mode;
    private readonly string _path;

    public JsonRows(Schema columns, ValueList<int> fields, MalformedMode mode, string timeZone, TaskArena arena, string path)
    {
        (_mode, _path) = (mode, path);
        var needsAll = fields.Contains(columns.Count);
        _parsed = [.. columns.Select((field, i) => needsAll || fields.Contains(i) ? new JsonColumn(arena, field, timeZone) : null)];
        if (needsAll) _corrupt = new JsonColumn(arena, new Field("corrupt", DataType.String), timeZone);
        _all = [.. _parsed.OfType<JsonColumn>(), .. _corrupt is null ? [] : new[] { _corrupt }];
        _names = [.. columns.Select(field => Encoding.UTF8.GetBytes(field.Name))];
        for (var i = 0; i < columns.Count; i++) _byName.TryAdd(columns[i].Name, i);
        Columns = [.. fields.Select(field => field == columns.Count ? _corrupt!.Vector : _parsed[field]!.Vector)];
    }

    public override ColumnVector[] Columns { get; }

    public override void Clear()
    {
        foreach (var column in _all) column.Clear();
    }

    public override void End(int rows)
    {
        foreach (var column in _all) column.End(rows);
    }

    public override bool Add(ReadOnlySpan<byte> line, long offset, int row)
    {
        if (line.IndexOfAnyExcept((byte)' ', (byte)'\t') < 0) return false;
        foreach (var column in _all) column.SetNull(row);
        line = TextRepair.Right(line);
        if (TryRead(line, row, out var problem)) return true;
        if (_mode == MalformedMode.DropMalformed) return false;
        if (_mode == MalformedMode.FailFast)
        {
            var text = Encoding.UTF8.GetString(line[..Math.Min(200, line.Length)]);
            throw new QueryException(
                "MALFORMED_RECORD_IN_PARSING", $"The line of '{_path}' at byte {offset:N0} does not fit: {problem} It reads: {text}{(line.Length > 200 ? "..." : "")} Correct it, give a schema, or read with Mode = Permissive.");
        }
        _corrupt?.SetText(row, line);
        return true;
    }

    private bool TryRead(ReadOnlySpan<byte> line, int row, out string problem)
    {
        problem = "";
        var fits = true;
        try
        {
            var reader = new Utf8JsonReader(line, Options);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                problem = "it is no object.";
                return false;
            }
            var expected = 0;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var index = Find(ref reader, expected);
                expected = index + 1;
                reader.Read();
                if (index < 0 || _parsed[index] is not { } column)
                {
                    reader.Skip();
                    continue;
                }
                if (column.TrySet(row, ref reader, line)) continue;
                problem = $"its field '{column.Name}' is no {column.Vector.Type}.";
                fits = false;
            }
            return fits;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The second is what the reader says of escapes that are half a character.
            problem = $"{error.Message}";
            // What was read of it is not to be trusted.
            foreach (var column in _all) column.SetNull(row);
            return false;
        }
    }

    // Objects mostly have their fields in the same order.
    private int Find(ref Utf8JsonReader reader, int expected)
    {
        if (expected < _names.Length && reader.ValueTextEquals(_names[expected])) return expected;
        return _byName.GetValueOrDefault(reader.GetString()!, -1);
    }
}
