using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Files;
using Dataflow.Formats;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Records of one length, back to back in files without anything between them.</summary>
/// <param name="recordBytes">Length of a record in bytes.</param>
internal abstract class RecordsRdd<T>(DataflowContext context, string operation, string path, FileSplits splits, int recordBytes)
    : FileRdd<T>(context, operation, path, splits with { Alignment = recordBytes })
{
    protected override void Check(IReadOnlyList<FileEntry> files)
    {
        foreach (var file in files)
        {
            if (file.Length % recordBytes is var rest and not 0)
            {
                throw new InputException(
                    $"'{file.Path}' has {file.Length:N0} bytes, which are {file.Length / recordBytes:N0} records of {recordBytes:N0} bytes and {rest:N0} bytes more. "
                    + "Check the length of a record, or whether the file was cut short.", file.Path);
            }
        }
    }
}

/// <summary>Records that are lent as they lie in the file.</summary>
internal sealed class FixedRecordsRdd<T>(DataflowContext context, string path, FileSplits splits)
    : RecordsRdd<T>(context, "FixedRecords", path, splits, Unsafe.SizeOf<T>())
    where T : unmanaged
{
    protected override ChunkReader<T> Open(FileSlice slice, TaskContext context) => new Reader(new RecordBuffer(slice, Unsafe.SizeOf<T>(), context));

    private sealed class Reader(RecordBuffer records) : ChunkReader<T>
    {
        // Longer chunks would outgrow the buffers of the operators that read them.
        public override bool TryRead(out ReadOnlySpan<T> chunk)
        {
            chunk = MemoryMarshal.Cast<byte, T>(records.Next(4 * DefaultLength));
            return chunk.Length > 0;
        }

        protected override void Dispose(bool disposing) => records.Dispose();
    }
}

/// <summary>Records as arrays of their own.</summary>
internal sealed class BinaryRecordsRdd(DataflowContext context, string path, FileSplits splits, int recordBytes)
    : RecordsRdd<byte[]>(context, "BinaryRecords", path, splits, recordBytes)
{
    private readonly int _recordBytes = recordBytes;

    protected override ChunkReader<byte[]> Open(FileSlice slice, TaskContext context) =>
        new Reader(new RecordBuffer(slice, _recordBytes, context), _recordBytes);

    private sealed class Reader(RecordBuffer records, int recordBytes) : ChunkReader<byte[]>
    {
        private byte[][] _chunk = [];

        public override bool TryRead(out ReadOnlySpan<byte[]> chunk)
        {
            var bytes = records.Next(DefaultLength);
            var count = bytes.Length / recordBytes;
            if (_chunk.Length < count) _chunk = new byte[count][];
            for (var i = 0; i < count; i++) _chunk[i] = bytes.Slice(i * recordBytes, recordBytes).ToArray();
            chunk = _chunk.AsSpan(0, count);
            return count > 0;
        }

        protected override void Dispose(bool disposing) => records.Dispose();
    }
}
