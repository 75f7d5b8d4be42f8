using System.Buffers.Text;
using System.Text;

namespace Dataflow.Sql.Writing;

/// <summary>Bytes that wait to be written to a stream.</summary>
internal sealed class Utf8Output(Stream stream)
{
    private const int FlushBytes = 256 << 10;

    private byte[] _bytes = new byte[FlushBytes + 4096];
    private int _used;

    /// <summary>Room for some bytes, which <see cref="Advance"/> then takes.</summary>
    public Span<byte> Room(int bytes)
    {
        if (_used + bytes > _bytes.Length)
        {
            Flush();
            if (bytes > _bytes.Length) _bytes = new byte[bytes + 4096];
        }
        return _bytes.AsSpan(_used);
    }

    public void Advance(int bytes) => _used += bytes;

    public void Add(byte value)
    {
        Room(1)[0] = value;
        _used++;
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _used += bytes.Length;
    }

    public void Add(string text)
    {
        // Room may flush, so it comes before anything looks at what is used.
        var room = Room(Encoding.UTF8.GetMaxByteCount(text.Length));
        _used += Encoding.UTF8.GetBytes(text, room);
    }

    public void Add(long number)
    {
        Utf8Formatter.TryFormat(number, Room(20), out var written);
        _used += written;
    }

    public void Flush()
    {
        stream.Write(_bytes, 0, _used);
        _used = 0;
    }
}
