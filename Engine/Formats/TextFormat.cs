using System.Buffers;
using System.Globalization;
using System.Text.Unicode;
using Dataflow.Compression;
using Dataflow.Serialization;

namespace Dataflow.Formats;

/// <summary>One line for each element, in UTF-8, ended by <c>\n</c>; an element's text is that of <c>ToString</c>, the same under every culture.</summary>
/// <typeparam name="T">The element type.</typeparam>
internal sealed class TextFormat<T>(string? codec) : IFileFormat<T>
{
    public string Extension { get; } = TextCompression.ExtensionOf(codec);

    public IFileWriter<T> Open(Stream stream) => new Writer(CompressedStreams.OpenWrite(stream, "x" + Extension, leaveOpen: true), Extension.Length > 0);

    private sealed class Writer(Stream stream, bool owned) : IFileWriter<T>
    {
        private const int BufferBytes = 32 * 1024;

        private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        private int _length;
        private bool _disposed;

        public void Write(ReadOnlySpan<T> items)
        {
            if (typeof(T) == typeof(string))
            {
                foreach (var item in items) WriteText((string?)(object?)item ?? "");
                return;
            }

            // Numbers and dates within records and tuples ask the culture of the thread; it must not depend on the machine.
            var culture = CultureInfo.CurrentCulture;
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            try
            {
                foreach (var item in items) WriteValue(item);
            }
            finally
            {
                CultureInfo.CurrentCulture = culture;
            }
        }

        public void Complete()
        {
            Flush();

            // Compression writes its end when it is disposed.
            if (owned) stream.Dispose();
            else stream.Flush();
        }

        public void Dispose()
        {
            if (_disposed) return;
            _disposed = true;
            ArrayPool<byte>.Shared.Return(_buffer);
            if (owned) stream.Dispose();
        }

        private void WriteValue(T item)
        {
            if (item is IUtf8SpanFormattable formattable)
            {
                // What needs more than all of the buffer goes by its text.
                if (_length == _buffer.Length) Flush();
                if (!formattable.TryFormat(_buffer.AsSpan(_length, Room), out var count, default, CultureInfo.InvariantCulture))
                {
                    Flush();
                    if (!formattable.TryFormat(_buffer.AsSpan(_length, Room), out count, default, CultureInfo.InvariantCulture))
                    {
                        WriteLine(item.ToString());
                        return;
                    }
                }
                _length += count;
                _buffer[_length++] = (byte)'\n';
                return;
            }
            WriteLine(item?.ToString());
        }

        // A byte is kept for the end of the line; -1 when the buffer is full.
        private int Room => _buffer.Length - _length - 1;

        private void WriteText(string text)
        {
            // Most lines are ASCII, and short against the buffer.
            if (text.Length + Text.Slack <= Room && Text.TryNarrow(text, ref _buffer[_length]))
            {
                _length += text.Length;
                _buffer[_length++] = (byte)'\n';
                return;
            }
            WriteLine(text);
        }

        private void WriteLine(ReadOnlySpan<char> text)
        {
            while (true)
            {
                var room = Math.Max(0, Room);
                var status = Utf8.FromUtf16(text, _buffer.AsSpan(_length, room), out var read, out var written);
                _length += written;
                if (status == OperationStatus.Done) break;
                text = text[read..];
                Flush();
            }
            if (_length == _buffer.Length) Flush();
            _buffer[_length++] = (byte)'\n';
        }

        private void Flush()
        {
            stream.Write(_buffer, 0, _length);
            _length = 0;
        }
    }
}

/// <summary>The names of compressions that text can be saved with.</summary>
internal static class TextCompression
{
    private static readonly (string Name, string Extension)[] Known =
        [("gzip", ".gz"), ("lz4", ".lz4"), ("zstd", ".zst"), ("brotli", ".br"), ("snappy", ".snappy")];

    /// <summary>What the names of such files end with; an empty text for no compression.</summary>
    public static string ExtensionOf(string? codec)
    {
        if (codec is null or "none") return "";
        foreach (var (name, extension) in Known)
        {
            if (name.Equals(codec, StringComparison.OrdinalIgnoreCase)) return extension;
        }
        throw new ArgumentException(
            $"There is no compression '{codec}'. Known: {string.Join(", ", Known.Select(static known => known.Name))}; null saves plain text.", nameof(codec));
    }

    /// <summary>Whether files of a compression can be put end to end and read as one.</summary>
    public static bool CanJoin(string? codec) => ExtensionOf(codec) != ".br";
}
