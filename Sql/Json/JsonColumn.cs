using System.Text;
using System.Text.Json;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Csv;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Json;

/// <summary>A column that is filled from JSON values.</summary>
internal sealed unsafe class JsonColumn
{
    private readonly FlatVector _vector;
    private readonly TextHeap _heap;
    private readonly DataType _type;
    private readonly Zone? _zone;

    public JsonColumn(TaskArena arena, Field field, string timeZone)
    {
        if (field.Type.Kind > TypeKind.TimestampNtz)
            throw new QueryException("UNSUPPORTED_DATATYPE", $"Column '{field.Name}' of a JSON file can't be {field.Type} yet. Read it as string, which gives its JSON text.");
        Name = field.Name;
        _type = field.Type;
        _vector = new FlatVector(arena, field.Type);
        _heap = new TextHeap(arena);
        if (field.Type.Kind == TypeKind.Timestamp) _zone = Zone.Find(timeZone) ?? throw new QueryException("INVALID_TIMEZONE", $"There is no time zone '{timeZone}'.");
    }

    public string Name { get; }

    public ColumnVector Vector => _vector.Vector;

    public void Clear() => _heap.Clear();

    public void End(int rows) => _vector.Set(rows, hasNulls: true);

    public void SetNull(int row)
    {
        Bits.Clear(_vector.Validity, row);
        if (_type.Physical == PhysicalType.View) ((StringView*)_vector.Data)[row] = default;
    }

    public void SetText(int row, ReadOnlySpan<byte> text)
    {
        ((StringView*)_vector.Data)[row] = _heap.Add(text);
        Bits.Set(_vector.Validity, row);
    }

    /// <summary>Takes the value that a reader stands at, with all that belongs to it.</summary>
    /// <returns>False if it does not fit; the row stays null.</returns>
    public bool TrySet(int row, ref Utf8JsonReader reader, ReadOnlySpan<byte> line)
    {
        var token = reader.TokenType;
        if (token == JsonTokenType.Null) return true;
        if (_type.Kind == TypeKind.String)
        {
            Text(row, ref reader, line);
            return true;
        }
        if (token is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            reader.Skip();
            return false;
        }
        if (!TryValue(row, token, reader.ValueSpan)) return false;
        Bits.Set(_vector.Validity, row);
        return true;
    }

    private void Text(int row, ref Utf8JsonReader reader, ReadOnlySpan<byte> line)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String when reader.ValueIsEscaped:
                SetText(row, Encoding.UTF8.GetBytes(reader.GetString()!));
                break;
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                SetText(row, line[start..(int)reader.BytesConsumed]);
                break;
            default:
                SetText(row, reader.ValueSpan);
                break;
        }
    }

    private bool TryValue(int row, JsonTokenType token, ReadOnlySpan<byte> value)
    {
        var data = _vector.Data;
        switch (_type.Kind)
        {
            case TypeKind.Boolean:
                if (token is not (JsonTokenType.True or JsonTokenType.False)) return false;
                if (token == JsonTokenType.True) Bits.Set((ulong*)data, row);
                else Bits.Clear((ulong*)data, row);
                return true;
            case TypeKind.TinyInt:
                return Parse<sbyte, IntegerParser<sbyte>>(default, row, token, JsonTokenType.Number, value);
            case TypeKind.SmallInt:
                return Parse<short, IntegerParser<short>>(default, row, token, JsonTokenType.Number, value);
            case TypeKind.Int:
                return Parse<int, IntegerParser<int>>(default, row, token, JsonTokenType.Number, value);
            case TypeKind.BigInt:
                return Parse<long, IntegerParser<long>>(default, row, token, JsonTokenType.Number, value);
            case TypeKind.Float:
                return Parse<float, FloatParser<float>>(default, row, token, token, value);
            case TypeKind.Double:
                return Parse<double, FloatParser<double>>(default, row, token, token, value);
            case TypeKind.Decimal when _type.Physical == PhysicalType.Int64:
                return Parse<long, DecimalParser<long>>(new((DecimalType)_type), row, token, JsonTokenType.Number, value);
            case TypeKind.Decimal:
                return Parse<Int128, DecimalParser<Int128>>(new((DecimalType)_type), row, token, JsonTokenType.Number, value);
            case TypeKind.Date:
                return Parse<int, DateParser>(default, row, token, JsonTokenType.String, value);
            case TypeKind.Timestamp or TypeKind.TimestampNtz:
                return Parse<long, TimestampParser>(new(_zone), row, token, JsonTokenType.String, value);
            case TypeKind.Binary:
                if (token != JsonTokenType.String) return false;
                var room = _heap.Allocate(value.Length);
                if (System.Buffers.Text.Base64.DecodeFromUtf8(value, new Span<byte>(room, value.Length), out _, out var written) != System.Buffers.OperationStatus.Done) return false;
                ((StringView*)data)[row] = StringView.Of(room, written);
                return true;
            default:
                return false;
        }
    }

    private bool Parse<T, TParser>(TParser parser, int row, JsonTokenType token, JsonTokenType wanted, ReadOnlySpan<byte> value) where T : unmanaged where TParser : struct, IFieldParser<T>
    {
        if (token != wanted || token is JsonTokenType.True or JsonTokenType.False) return false;
        fixed (byte* text = value) return parser.TryParse(text, value.Length, out ((T*)_vector.Data)[row]);
    }
}
