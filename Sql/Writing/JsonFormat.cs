using System.Globalization;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using Dataflow.Sql.Columns;
using Dataflow.Tasks;

namespace Dataflow.Sql.Writing;

/// <summary>JSON files: an object a line.</summary>
internal sealed class JsonFormat : BatchFormat
{
    public override string Extension => ".json";

    public override void Check(Schema schema) => FieldText.Check(schema, "JSON", hasLists: true);

    public override BatchFileWriter Open(Stream output, Schema schema, TaskContext context) => new JsonLines(new Utf8Output(output), schema);
}

/// <summary>Writes rows as JSON objects, a line each, without fields that are null.</summary>
internal sealed unsafe class JsonLines : BatchFileWriter
{
    private readonly Utf8Output _output;
    private readonly FieldText _text = new(null, null);
    private readonly byte[][] _names;

    public JsonLines(Utf8Output output, Schema schema)
    {
        _output = output;
        _names = [.. schema.Select(field => Encoding.UTF8.GetBytes($"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(field.Name)}\":"))];
    }

    public override void Write(ColumnBatch batch)
    {
        foreach (var row in batch.Selection)
        {
            var hasFields = false;
            _output.Add((byte)'{');
            for (var i = 0; i < batch.Columns.Length; i++)
            {
                var vector = batch.Columns[i];
                if (vector.IsNull(row)) continue;
                if (hasFields) _output.Add((byte)',');
                hasFields = true;
                _output.Add(_names[i]);
                Add(vector, row);
            }
            _output.Add("}\n"u8);
        }
    }

    public override void Complete() => _output.Flush();

    private void Add(ColumnVector vector, int row)
    {
        switch (vector.Type.Kind)
        {
            case TypeKind.String:
                AddText(StringView.BytesOf((StringView*)vector.ValueAt(row)));
                break;
            case TypeKind.Binary:
                var bytes = StringView.BytesOf((StringView*)vector.ValueAt(row));
                _output.Add((byte)'"');
                Base64.EncodeToUtf8(bytes, _output.Room(Base64.GetMaxEncodedToUtf8Length(bytes.Length)), out _, out var written);
                _output.Advance(written);
                _output.Add((byte)'"');
                break;
            case TypeKind.Vector:
                AddVector(new VectorView(StringView.BytesOf((StringView*)vector.ValueAt(row))));
                break;
            case TypeKind.Double when !double.IsFinite(vector.Value<double>(row)):
            case TypeKind.Float when !float.IsFinite(vector.Value<float>(row)):
            case TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz:
                _output.Add((byte)'"');
                _text.Add(vector, row, _output);
                _output.Add((byte)'"');
                break;
            default:
                _text.Add(vector, row, _output);
                break;
        }
    }

    // All elements, zeros included; what JSON has no number for is null.
    private void AddVector(VectorView vector)
    {
        _output.Add((byte)'[');
        for (var i = 0; i < vector.Size; i++)
        {
            if (i > 0) _output.Add((byte)',');
            var value = vector[i];
            if (double.IsFinite(value)) _output.Add(Encoding.UTF8.GetBytes(value.ToString("R", CultureInfo.InvariantCulture)));
            else _output.Add("null"u8);
        }
        _output.Add((byte)']');
    }

    private void AddText(ReadOnlySpan<byte> text)
    {
        _output.Add((byte)'"');
        while (text.Length > 0)
        {
            var clean = text.IndexOfAnyInRange((byte)0, (byte)31);
            var special = text.IndexOfAny((byte)'"', (byte)'\\');
            var next = clean < 0 ? special : special < 0 ? clean : Math.Min(clean, special);
            if (next < 0)
            {
                _output.Add(text);
                break;
            }
            _output.Add(text[..next]);
            var each = text[next];
            if (each >= 32) _output.Add([(byte)'\\', each]);
            else if (each == '\n') _output.Add("\\n"u8);
            else if (each == '\r') _output.Add("\\r"u8);
            else if (each == '\t') _output.Add("\\t"u8);
            else _output.Add($"\\u{(int)each:x4}");
            text = text[(next + 1)..];
        }
        _output.Add((byte)'"');
    }
}
