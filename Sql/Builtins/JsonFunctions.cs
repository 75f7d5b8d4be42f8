using System.Text;
using System.Text.Json;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Values out of texts that are JSON.</summary>
internal static class JsonFunctions
{
    private static readonly JsonReaderOptions Reading = new() { MaxDepth = 1000 };

    public static void Add(FunctionRegistry registry) => registry.Add(new RowFunction("get_json_object", "get_json_object(text, path)",
        "What stands at a place of a JSON text, such as '$.user.tags[0]': texts without quotes, objects and lists as JSON without spaces. Null if nothing or null stands there, or the text is no JSON.",
        [DataType.String, DataType.String], DataType.String, Get) { Fails = true, MakesNulls = true });

    private static void Get(RowEvaluator row)
    {
        var text = row.Text(1);
        if (row.State is not JsonPath path || !text.SequenceEqual(path.Text))
        {
            row.State = path = JsonPath.Parse(text.ToArray()) ?? throw row.Error("INVALID_JSON_PATH",
                $"'{Encoding.UTF8.GetString(text)}' is no path into JSON: it begins with $, and goes on with .name, ['name'] or [0], as in '$.user.tags[0]'. There are no wildcards.");
        }
        try
        {
            if (!path.MayBeIn(row.Text(0)) || !TryReturn(row, path)) row.ReturnNull();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // No JSON, or text in it that is no Unicode.
            row.ReturnNull();
        }
    }

    private static bool TryReturn(RowEvaluator row, JsonPath path)
    {
        var json = row.Text(0);
        var reader = new Utf8JsonReader(json, Reading);
        reader.Read();
        if (!path.TryGo(ref reader)) return false;
        var (type, start, written) = (reader.TokenType, (int)reader.TokenStartIndex, -1);
        if (type == JsonTokenType.Null) return false;
        if (type == JsonTokenType.String && reader.ValueIsEscaped) written = reader.CopyString(row.Room(reader.ValueSpan.Length));
        else if (type is JsonTokenType.StartObject or JsonTokenType.StartArray) reader.Skip();
        var length = (int)reader.BytesConsumed - start;
        if (type is JsonTokenType.StartObject or JsonTokenType.StartArray) written = WithoutSpaces(row, json.Slice(start, length));

        // The rest must be JSON too.
        while (reader.Read()) { }
        if (written >= 0) row.ReturnWritten(written);
        else if (type == JsonTokenType.String) row.ReturnPart(0, start + 1, length - 2);
        else row.ReturnPart(0, start, length);
        return true;
    }

    // Bytes written; -1 if there are no spaces to leave out.
    private static int WithoutSpaces(RowEvaluator row, ReadOnlySpan<byte> json)
    {
        Span<byte> room = default;
        var (isText, to) = (false, 0);
        for (var i = 0; i < json.Length; i++)
        {
            var letter = json[i];
            if (!isText && letter is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            {
                if (!room.IsEmpty) continue;
                room = row.Room(json.Length);
                json[..i].CopyTo(room);
                continue;
            }
            if (letter == '"') isText = !isText;
            if (!room.IsEmpty) room[to] = letter;
            to++;
            if (!isText || letter != '\\' || ++i == json.Length) continue;
            if (!room.IsEmpty) room[to] = json[i];
            to++;
        }
        return room.IsEmpty ? -1 : to;
    }
}

/// <summary>A place in JSON: names of fields and numbers of elements, from the outside in.</summary>
/// <param name="Text">As it was written.</param>
/// <param name="Steps">A name, or a number where that is null.</param>
internal sealed record JsonPath(byte[] Text, IReadOnlyList<(byte[]? Name, int Index)> Steps)
{
    /// <summary>Reads a path; null if it is none.</summary>
    public static JsonPath? Parse(byte[] text)
    {
        if (text is not [(byte)'$', ..]) return null;
        var steps = new List<(byte[]? Name, int Index)>();
        for (var at = 1; at < text.Length;)
        {
            var rest = text.AsSpan(at);
            int length;
            if (rest[0] == '.')
            {
                length = rest[1..].IndexOfAny((byte)'.', (byte)'[') is >= 0 and var end ? end + 1 : rest.Length;
                if (length == 1 || rest[1..length] is [(byte)'*']) return null;
                steps.Add((rest[1..length].ToArray(), 0));
            }
            else if (rest.Length > 3 && rest[0] == '[' && rest[1] is (byte)'\'' or (byte)'"')
            {
                length = rest[2..].IndexOf([rest[1], (byte)']']) + 4;
                if (length < 5) return null;
                steps.Add((rest[2..(length - 2)].ToArray(), 0));
            }
            else
            {
                length = rest.IndexOf((byte)']') + 1;
                if (rest[0] != '[' || length < 3 || !int.TryParse(rest[1..(length - 1)], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var index)) return null;
                steps.Add((null, index));
            }
            at += length;
        }
        return new JsonPath(text, steps);
    }

    /// <summary>Whether a text may have the place, by its first character: texts that are no JSON cost no exception.</summary>
    public bool MayBeIn(ReadOnlySpan<byte> json)
    {
        var trimmed = json.TrimStart(" \n\r\t"u8);
        return !trimmed.IsEmpty && (Steps.Count == 0 || trimmed[0] == (Steps[0].Name is null ? '[' : '{'));
    }

    /// <summary>Brings a reader from the first token of a text to that of the place.</summary>
    /// <returns>False if there is no such place.</returns>
    public bool TryGo(ref Utf8JsonReader reader)
    {
        foreach (var (name, index) in Steps)
        {
            if (!(name is null ? TryElement(ref reader, index) : TryField(ref reader, name))) return false;
        }
        return true;
    }

    // Of fields of one name the first.
    private static bool TryField(ref Utf8JsonReader reader, byte[] name)
    {
        if (reader.TokenType != JsonTokenType.StartObject) return false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isWanted = reader.ValueTextEquals(name);
            reader.Read();
            if (isWanted) return true;
            reader.Skip();
        }
        return false;
    }

    private static bool TryElement(ref Utf8JsonReader reader, int index)
    {
        if (reader.TokenType != JsonTokenType.StartArray) return false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (index-- == 0) return true;
            reader.Skip();
        }
        return false;
    }
}
