using System.Buffers;
using System.Text.Json;

namespace Dataflow.Cluster;

/// <summary>Writes messages into one frame until it is full.</summary>
internal sealed class FrameWriter(int maxFrameBytes) : IBufferWriter<byte>, IDisposable
{
    /// <summary>No frame has more messages.</summary>
    public const int MaxMessages = 256;

    // A frame that has reached this goes out: larger ones only make the first message wait for the last.
    private const int EnoughBytes = 256 << 10;
    private const int SmallBytes = 16 << 10;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(SmallBytes);
    private int _length;
    private Utf8JsonWriter? _writer;

    /// <summary>Fills a frame from the front of a queue. A message that does not fit any more stays for the next frame.</summary>
    /// <param name="take">Looks at the next message without taking it.</param>
    /// <param name="taken">Takes it.</param>
    /// <exception cref="InvalidDataException">A message is larger than a frame may be.</exception>
    public ReadOnlyMemory<byte> Fill(Func<ControlMessage?> take, Action taken)
    {
        Restart();
        for (var count = 0; count < MaxMessages && _length < EnoughBytes && take() is { } message; count++)
        {
            var before = _length;
            Append(count == 0 ? (byte)'[' : (byte)',');
            _writer ??= new Utf8JsonWriter(this, new JsonWriterOptions { SkipValidation = true });
            _writer.Reset(this);
            JsonSerializer.Serialize(_writer, message, ControlJson.Default.ControlMessage);
            _writer.Flush();
            if (_length + 1 > maxFrameBytes)
            {
                if (count == 0)
                {
                    throw new InvalidDataException(
                        $"A {message.GetType().Name} message takes {_length:N0} bytes, and a frame holds at most {maxFrameBytes:N0}. Large data travels as blocks.");
                }
                _length = before;
                break;
            }
            taken();
        }
        Append((byte)']');
        return _buffer.AsMemory(0, _length);
    }

    public void Advance(int count) => _length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(Math.Max(sizeHint, 1));
        return _buffer.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Dispose()
    {
        _writer?.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void Restart()
    {
        _length = 0;
        // One large message must not keep its memory on every link for ever.
        if (_buffer.Length <= 2 * EnoughBytes) return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = ArrayPool<byte>.Shared.Rent(SmallBytes);
    }

    private void Append(byte value)
    {
        Grow(1);
        _buffer[_length++] = value;
    }

    private void Grow(int room)
    {
        if (_buffer.Length - _length >= room) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + room, _buffer.Length * 2));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
