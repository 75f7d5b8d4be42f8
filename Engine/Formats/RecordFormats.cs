using System.Runtime.InteropServices;
using Dataflow.Errors;

namespace Dataflow.Formats;

/// <summary>Elements as they lie in memory, back to back.</summary>
internal sealed class RecordFormat<T> : IFileFormat<T>
    where T : unmanaged
{
    public string Extension => "";

    public IFileWriter<T> Open(Stream stream) => new Writer(stream);

    private sealed class Writer(Stream stream) : IFileWriter<T>
    {
        public void Write(ReadOnlySpan<T> items) => stream.Write(MemoryMarshal.AsBytes(items));

        public void Complete() => stream.Flush();

        public void Dispose() { }
    }
}

/// <summary>Arrays of bytes, back to back.</summary>
/// <param name="recordBytes">The length that each must have; 0 takes any.</param>
internal sealed class BytesFormat(int recordBytes) : IFileFormat<byte[]>
{
    public string Extension => "";

    public IFileWriter<byte[]> Open(Stream stream) => new Writer(stream, recordBytes);

    private sealed class Writer(Stream stream, int recordBytes) : IFileWriter<byte[]>
    {
        public void Write(ReadOnlySpan<byte[]> items)
        {
            foreach (var item in items)
            {
                if (recordBytes > 0 && item.Length != recordBytes)
                {
                    throw new VerbException(
                        $"A record of {item.Length:N0} bytes was to be saved among records of {recordBytes:N0}. Make all records that long, or pass 0 to save any length.");
                }
                stream.Write(item);
            }
        }

        public void Complete() => stream.Flush();

        public void Dispose() { }
    }
}
