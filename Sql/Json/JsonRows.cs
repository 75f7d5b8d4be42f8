using System.Text;
using System.Text.Json;
using Dataflow.Files;
using Dataflow.Formats;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Csv;

namespace Dataflow.Sql.Json;

/// <summary>Makes rows of lines that hold JSON objects.</summary>
/// <param name="columns">The columns of the files.</param>
/// <param name="fields">The wanted ones: positions, or one past them for lines that do not fit.</param>
/// <param name="mode">What happens to those.</param>
/// <param name="timeZone">The zone of timestamps that name none.</param>
/// <param name="isGuess">Whether the columns were found from some of the objects, and values of other types and other fields are errors.</param>
/// <param name="isModeOpen">Whether nobody said what to do with lines that do not fit.</param>
internal sealed class JsonParser(Schema columns, ValueList<int> fields, MalformedMode mode, string timeZone, bool isGuess, bool isModeOpen) : LineParser
{
    public override LineRows Open(TaskArena arena, FileSlice file) => new JsonRows(columns, fields, mode, timeZone, isGuess, isModeOpen, arena, file);
}

/// <summary>Rows that are made of JSON objects.</summary>
internal sealed class JsonRows : LineRows
{
    /// <summary>What goes as JSON.</summary>
    internal static readonly JsonReaderOptions Options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 256 };

    private readonly JsonColumn?[] _parsed;
    private readonly JsonColumn[] _all;
    private readonly JsonColumn? _corrupt;
    private readonly byte[][] _names;
    private readonly Dictionary<string, int> _byName = new(StringComparer.OrdinalIgnoreCase);
    private readonly MalformedMode _mode;
    private readonly FileSlice _file;
    private readonly bool _isGuess;
    private readonly bool _isModeOpen;
    private readonly long[] _lastSeen;
    private long _line;

    public JsonRows(Schema columns, ValueList<int> fields, MalformedMode mode, string timeZone, bool isGuess, bool isModeOpen, TaskArena arena, FileSlice file)
    {
        (_mode, _file, _isGuess, _isModeOpen) = (mode, file, isGuess, isModeOpen);
        _lastSeen = new long[columns.Count];
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
        if (TryRead(line, row, offset, out var problem)) return true;
        if (_mode == MalformedMode.DropMalformed) return false;
        if (_mode == MalformedMode.FailFast)
        {
            var text = Encoding.UTF8.GetString(line[..Math.Min(200, line.Length)]);
            throw new QueryException(
                "MALFORMED_RECORD_IN_PARSING", $"The line of '{_file.Path}' at byte {offset:N0} does not fit: {problem} It reads: {text}{(line.Length > 200 ? "..." : "")} Correct it, give a schema, or read with Mode = Permissive.");
        }
        _corrupt?.SetText(row, line);
        return true;
    }

    private bool TryRead(ReadOnlySpan<byte> line, int row, long offset, out string problem)
    {
        problem = "";
        string? unlike = null;
        _line++;
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
                var name = index < 0 && _isGuess ? reader.GetString() : null;
                reader.Read();
                if (index < 0 || _parsed[index] is not { } column)
                {
                    if (index < 0 && _isGuess && _all.Length > 0 && reader.TokenType != JsonTokenType.Null) unlike ??= $"the field '{name}' is in none of the first objects, from which the columns were inferred";
                    reader.Skip();
                    continue;
                }
                if (_lastSeen[index] == _line && TwoNames(line, index) is { } names)
                {
                    if (_isModeOpen) throw Ambiguous(names, offset);
                    problem = $"its fields {names} are one column.";
                    fits = false;
                    column.SetNull(row);
                    reader.Skip();
                    continue;
                }
                _lastSeen[index] = _line;
                var start = (int)reader.TokenStartIndex;
                if (column.TrySet(row, ref reader, line)) continue;
                if (_isGuess) unlike ??= $"column '{column.Name}' is {Shown(line[start..(int)reader.BytesConsumed])}, which is no {column.Vector.Type}, the type inferred from the first objects";
                problem = $"its field '{column.Name}' is no {column.Vector.Type}.";
                fits = false;
            }

            // What stands behind the object is an error of the reader's.
            reader.Read();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The second is what the reader says of escapes that are half a character.
            problem = $"{error.Message}";
            // What was read of it is not to be trusted.
            foreach (var column in _all) column.SetNull(row);
            return false;
        }
        return unlike is null ? fits : throw TextFiles.NotAsInferred(_file.Path, _file.FileLength, offset, unlike);
    }

    private QueryException Ambiguous(string names, long offset) => new(
        "COLUMN_ALREADY_EXISTS",
        $"The object of '{_file.Path}' at byte {offset:N0} has the fields {names}, which are one column, as case does not tell columns apart. "
        + "Give one of them another name in the file, or set Mode: Permissive makes null of them.");

    // The names of an object's fields that are one column, if there are several; the last of fields of the very same name counts.
    private string? TwoNames(ReadOnlySpan<byte> line, int column)
    {
        var names = new List<string>();
        var reader = new Utf8JsonReader(line, Options);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (_byName.GetValueOrDefault(name, -1) == column && !names.Contains(name)) names.Add(name);
            reader.Read();
            reader.Skip();
        }
        return names.Count < 2 ? null : string.Join(" and ", names.Select(name => $"'{name}'"));
    }

    private static string Shown(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value[..Math.Min(100, value.Length)]) + (value.Length > 100 ? "..." : "");

    // Objects mostly have their fields in the same order.
    private int Find(ref Utf8JsonReader reader, int expected)
    {
        if (expected < _names.Length && reader.ValueTextEquals(_names[expected])) return expected;
        return _byName.GetValueOrDefault(reader.GetString()!, -1);
    }
}
