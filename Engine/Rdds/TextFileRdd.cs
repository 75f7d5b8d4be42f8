using System.Buffers;
using System.Text;
using Dataflow.Files;
using Dataflow.Formats;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>The lines of text files.</summary>
internal sealed class TextFileRdd(DataflowContext context, string path, FileSplits splits)
    : FileRdd<string>(context, "TextFile", path, splits with { Decompress = true })
{
    protected override string Element => "line";

    protected override ChunkReader<string> Open(FileSlice slice, TaskContext context) => new TextReader(new LineReader(slice), context);

    private sealed class TextReader(LineReader lines, TaskContext context) : ChunkReader<string>
    {
        // Long lines end a chunk early: a thousand of them may be more than memory holds.
        private const int ChunkBytes = 1 << 20;

        private readonly string[] _chunk = ArrayPool<string>.Shared.Rent(DefaultLength);
        private long _counted;
        private bool _disposed;

        public override bool TryRead(out ReadOnlySpan<string> chunk)
        {
            var texts = _chunk.AsSpan(0, DefaultLength);
            var count = 0;
            var bytes = 0L;
            while (count < texts.Length && bytes < ChunkBytes && lines.TryRead(out var line, out var ascii))
            {
                texts[count++] = ascii || Ascii.IsValid(line) ? Serialization.Text.FromAscii(line) : Encoding.UTF8.GetString(line);
                bytes += line.Length;
            }
            context.Metrics.InputBytes += lines.BytesRead - _counted;
            _counted = lines.BytesRead;
            chunk = texts[..count];
            return count > 0;
        }

        protected override void Dispose(bool disposing)
        {
            if (_disposed) return;
            _disposed = true;
            lines.Dispose();
            ArrayPool<string>.Shared.Return(_chunk, clearArray: true);
        }
    }
}
