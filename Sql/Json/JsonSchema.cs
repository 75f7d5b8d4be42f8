using System.Text.Json;
using Dataflow.Compression;
using Dataflow.Files;
using Dataflow.Formats;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Csv;

namespace Dataflow.Sql.Json;

/// <summary>Finds the columns of JSON files by looking at the first objects.</summary>
internal static class JsonSchema
{
    /// <summary>The columns of the first file that has objects, in the order in which they are first seen, and whether all objects of all files were looked at.</summary>
    /// <exception cref="QueryException">There is no object.</exception>
    public static (Schema Columns, bool IsWhole) Find(FileEntry[] files, int rows)
    {
        var types = new Dictionary<string, DataType>(StringComparer.OrdinalIgnoreCase);
        var names = new List<string>();
        var seen = 0;
        foreach (var file in files)
        {
            using var lines = new LineReader(new FileSlice(file.Path, 0, file.Length, file.Length, CompressedStreams.IsCompressed(file.Path)));
            while (seen < rows && lines.TryRead(out var line)) seen += TryLook(line, types, names) ? 1 : 0;
            if (seen > 0) break;
        }
        if (names.Count == 0) throw new QueryException("UNABLE_TO_INFER_SCHEMA", $"'{files[0].Path}' has no JSON object that has fields, one a line, so there are no columns to see. Give the schema in the options.");
        // With as many objects as were wanted there may be more.
        return (new Schema(names.Select(name => new Field(name, types[name] == DataType.Null ? DataType.String : types[name])).ToArray()), seen < rows && files.Length == 1);
    }

    private static bool TryLook(ReadOnlySpan<byte> line, Dictionary<string, DataType> types, List<string> names)
    {
        try
        {
            line = TextRepair.Right(line);
            if (!IsObject(line)) return false;
            var reader = new Utf8JsonReader(line, JsonRows.Options);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                var type = TypeOf(reader);
                reader.Skip();
                if (!types.TryGetValue(name, out var known)) names.Add(name);
                types[name] = known is null ? type : Both(known, type);
            }
            return true;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // A line that is no object says nothing of the columns; reading it later is what the mode says.
            return false;
        }
    }

    // Looked through first, to its end: what does not fit there takes all of the line with it.
    private static bool IsObject(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line, JsonRows.Options);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
        reader.Skip();
        return !reader.Read();
    }

    private static DataType TypeOf(Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Null => DataType.Null,
        JsonTokenType.True or JsonTokenType.False => DataType.Boolean,
        JsonTokenType.Number => reader.TryGetInt64(out _) ? DataType.BigInt : DataType.Double,
        JsonTokenType.String when reader.ValueSpan.Length is >= 8 and <= 10 && TimeText.TryDate(reader.ValueSpan, out _) && reader.ValueSpan.Contains((byte)'-') => DataType.Date,
        JsonTokenType.String when reader.ValueSpan.Length > 10 && TimeText.TryTimestamp(reader.ValueSpan, out _, out _) => DataType.Timestamp,
        _ => DataType.String,
    };

    private static DataType Both(DataType a, DataType b)
    {
        if (a == b || b == DataType.Null) return a;
        if (a == DataType.Null) return b;
        return a.IsNumber && b.IsNumber ? DataType.Double : a.Kind is TypeKind.Date or TypeKind.Timestamp && b.Kind is TypeKind.Date or TypeKind.Timestamp ? DataType.Timestamp : DataType.String;
    }
}
