using Dataflow.Files;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>One element for each file, made of all its bytes.</summary>
/// <typeparam name="TContent">What the bytes become.</typeparam>
internal sealed class WholeFilesRdd<TContent>(
    DataflowContext context, string operation, string path, FileSplits splits, Func<FileSlice, Stream, TContent> read)
    : FileRdd<(string Path, TContent Content)>(context, operation, path, splits with { Whole = true })
{
    protected override ChunkReader<(string Path, TContent Content)> Open(FileSlice slice, TaskContext context)
    {
        using var stream = SliceStream.OpenWhole(slice);
        var content = read(slice, stream);
        context.Metrics.InputBytes += slice.Length;
        return ChunkReader<(string, TContent)>.From(new ReadOnlyMemory<(string, TContent)>([(slice.Path, content)]));
    }
}

/// <summary>What a file's bytes become.</summary>
internal static class WholeFile
{
    /// <summary>Its text: UTF-8, or what a mark at its start says.</summary>
    public static string Text(FileSlice slice, Stream stream)
    {
        using var reader = new StreamReader(stream, detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }

    /// <summary>Its bytes as they are.</summary>
    public static byte[] Bytes(FileSlice slice, Stream stream)
    {
        if (slice.FileLength > Array.MaxLength)
        {
            throw new InputException(
                $"'{slice.Path}' has {slice.FileLength:N0} bytes, and an element of BinaryFiles can have {Array.MaxLength:N0}. "
                + "Read it with BinaryRecords or FixedRecords.", slice.Path);
        }
        var bytes = GC.AllocateUninitializedArray<byte>((int)slice.FileLength);
        var count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return count == bytes.Length ? bytes : throw SliceStream.Changed(slice, count);
    }
}
