using Dataflow.Files;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Elements read from files: looks for the files when its partitions are first needed, and reads each part in turn.</summary>
/// <remarks>Determinate: a file that changed in between is an error.</remarks>
internal abstract class FileRdd<T>(DataflowContext context, string operation, string path, FileSplits splits) : Rdd<T>(context, operation)
{
    private readonly InputPaths _paths = new(path);

    public sealed override IReadOnlyList<Dependency> Dependencies => [];

    public sealed override IReadOnlyList<string> PreferredLocations(Partition partition) => ((FilePartition)partition).Hosts;

    protected internal sealed override Partition[] GetPartitions()
    {
        try
        {
            var files = _paths.Find();
            Check(files);
            return splits.Plan(files);
        }
        catch (InputException error)
        {
            throw new InputException($"{error.Message}\n  where: {CallSite}", error.Path, error.InnerException);
        }
    }

    protected internal sealed override ChunkReader<T> Compute(Partition partition, TaskContext context) =>
        new SlicesReader(this, ((FilePartition)partition).Slices, context);

    /// <summary>Refuses files that can't be what the user said, before any task starts.</summary>
    protected virtual void Check(IReadOnlyList<FileEntry> files) { }

    /// <summary>What errors call an element.</summary>
    protected virtual string Element => "element";

    /// <summary>Opens one part. Its reader counts the bytes and records it reads.</summary>
    protected abstract ChunkReader<T> Open(FileSlice slice, TaskContext context);

    private sealed class SlicesReader(FileRdd<T> rdd, FileSlice[] slices, TaskContext context) : ChunkReader<T>
    {
        private ChunkReader<T>? _current;
        private int _next;
        private long _read;

        public override bool TryRead(out ReadOnlySpan<T> chunk)
        {
            context.ThrowIfCancelled();
            while (true)
            {
                if (_current is not null)
                {
                    if (_current.TryRead(out chunk))
                    {
                        context.Metrics.InputRecords += chunk.Length;
                        context.LastRead = new ReadPosition(slices[_next - 1], rdd.Element, _read + 1, _read += chunk.Length);
                        return true;
                    }
                    _current.Dispose();
                    _current = null;
                    context.LastRead = null;
                }
                if (_next == slices.Length)
                {
                    chunk = default;
                    return false;
                }
                context.ThrowIfCancelled();
                _read = 0;
                _current = rdd.Open(slices[_next++], context);
            }
        }

        protected override void Dispose(bool disposing)
        {
            _current?.Dispose();
            _current = null;
            _next = slices.Length;
        }
    }
}
