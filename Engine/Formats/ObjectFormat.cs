using Dataflow.Compression;
using Dataflow.Serialization;

namespace Dataflow.Formats;

/// <summary>Elements as their codec encodes them, in checked and compressed blocks, behind a header that names their type.</summary>
internal sealed class ObjectFormat<T> : IFileFormat<T>
{
    public string Extension => "";

    public IFileWriter<T> Open(Stream stream) => new Writer(stream);

    private sealed class Writer : IFileWriter<T>
    {
        private const int BlockBytes = 256 * 1024;

        private readonly Stream _stream;
        private readonly Codec<T> _codec = Codec<T>.Default;
        private readonly BlockWriter _items = new();
        private readonly BlockWriter _block = new();
        private int _count;

        public Writer(Stream stream)
        {
            _stream = stream;
            stream.Write(ObjectFileHeader.Write(_codec));
        }

        public void Write(ReadOnlySpan<T> items)
        {
            _codec.Write(_items, items);
            _count += items.Length;
            if (_items.Length >= BlockBytes) EndBlock();
        }

        public void Complete()
        {
            if (_count > 0) EndBlock();
            _stream.Flush();
        }

        public void Dispose()
        {
            _items.Dispose();
            _block.Dispose();
        }

        private void EndBlock()
        {
            _block.Reset();
            BlockEncoder.Frame(_items.Written, _count, _codec.SchemaHash, _block, CompressionCodecs.Lz4);
            _stream.Write(_block.Written);
            _items.Reset();
            _count = 0;
        }
    }
}
