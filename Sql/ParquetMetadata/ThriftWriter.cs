using System.Buffers;
using System.Text;

namespace Dataflow.Sql.ParquetMetadata;

/// <summary>Writes Thrift's compact protocol: structs field by field, in rising order of their ids.</summary>
internal sealed class ThriftWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new(256);
    private readonly Stack<int> _ids = new();
    private int _last;

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>Forgets what was written.</summary>
    public void Clear()
    {
        _bytes.ResetWrittenCount();
        _ids.Clear();
        _last = 0;
    }

    public void Int32(int id, int value)
    {
        Head(id, ThriftKind.Int32);
        ZigZag(value);
    }

    public void Int64(int id, long value)
    {
        Head(id, ThriftKind.Int64);
        ZigZag(value);
    }

    public void Int16(int id, short value)
    {
        Head(id, ThriftKind.Int16);
        ZigZag(value);
    }

    public void Byte(int id, sbyte value)
    {
        Head(id, ThriftKind.Byte);
        One((byte)value);
    }

    public void Flag(int id, bool value) => Head(id, value ? ThriftKind.True : ThriftKind.False);

    public void Text(int id, string value) => Binary(id, Encoding.UTF8.GetBytes(value));

    public void Binary(int id, ReadOnlySpan<byte> value)
    {
        Head(id, ThriftKind.Binary);
        BinaryElement(value);
    }

    /// <summary>Begins a struct that is a field.</summary>
    public void Begin(int id)
    {
        Head(id, ThriftKind.Struct);
        BeginElement();
    }

    /// <summary>Begins a struct that is an element of a list.</summary>
    public void BeginElement()
    {
        _ids.Push(_last);
        _last = 0;
    }

    /// <summary>Ends a struct; the outermost too.</summary>
    public void End()
    {
        One(0);
        if (_ids.Count > 0) _last = _ids.Pop();
    }

    /// <summary>A field that is a struct without fields.</summary>
    public void Empty(int id)
    {
        Begin(id);
        End();
    }

    /// <summary>Begins a list, whose elements follow.</summary>
    public void List(int id, ThriftKind element, int count)
    {
        Head(id, ThriftKind.List);
        if (count < 15)
        {
            One((byte)(count << 4 | (int)element));
            return;
        }
        One((byte)(0xF0 | (int)element));
        Varint((ulong)count);
    }

    public void IntegerElement(long value) => ZigZag(value);

    public void FlagElement(bool value) => One((byte)(value ? ThriftKind.True : ThriftKind.False));

    public void BinaryElement(ReadOnlySpan<byte> value)
    {
        Varint((ulong)value.Length);
        _bytes.Write(value);
    }

    private void Head(int id, ThriftKind kind)
    {
        var step = id - _last;
        if (step is > 0 and < 16)
        {
            One((byte)(step << 4 | (int)kind));
        }
        else
        {
            One((byte)kind);
            ZigZag(id);
        }
        _last = id;
    }

    private void ZigZag(long value) => Varint((ulong)(value << 1 ^ value >> 63));

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7) One((byte)(value | 0x80));
        One((byte)value);
    }

    private void One(byte value)
    {
        _bytes.GetSpan(1)[0] = value;
        _bytes.Advance(1);
    }
}
