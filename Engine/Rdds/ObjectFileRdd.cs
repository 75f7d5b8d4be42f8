using Dataflow.Files;
using Dataflow.Formats;
using Dataflow.Serialization;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Elements that <c>SaveAsObjects</c> wrote.</summary>
internal sealed class ObjectFileRdd<T>(DataflowContext context, string path, FileSplits splits)
    : FileRdd<T>(context, "ObjectFile", path, splits with { Whole = true })
{
    protected override ChunkReader<T> Open(FileSlice slice, TaskContext context) => OpenSlice(slice, context);

    /// <summary>Reads one object file.</summary>
    internal static ChunkReader<T> OpenSlice(FileSlice slice, TaskContext context)
    {
        var codec = Codec<T>.Default;
        var blocks = new ObjectFileBlocks<T>(slice, codec, context);
        return new Reader(new EncodedBlockReader<T>(blocks, codec, blocks), slice.Path);
    }

    // A block knows no file; whoever looks for the damage does need its name.
    private sealed class Reader(ChunkReader<T> blocks, string path) : ChunkReader<T>
    {
        public override bool TryRead(out ReadOnlySpan<T> chunk)
        {
            try
            {
                return blocks.TryRead(out chunk);
            }
            catch (CorruptDataException error) when (error.Path is null)
            {
                throw new CorruptDataException($"'{path}' is damaged. {error.Message} Restore it, or write it anew.", error);
            }
        }

        protected override void Dispose(bool disposing) => blocks.Dispose();
    }
}
