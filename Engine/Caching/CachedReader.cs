using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Caching;

/// <summary>Reads a block and ends its lease when disposed.</summary>
internal class LeasedReader<T>(StoredBlock<T> block) : ChunkReader<T>
{
    private ChunkReader<T>? _reader;
    private bool _ended;

    public override bool TryRead(out ReadOnlySpan<T> chunk)
    {
        if (!_ended) return (_reader ??= block.Open()).TryRead(out chunk);
        chunk = default;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (_ended) return;
        _ended = true;
        _reader?.Dispose();
        block.EndLease();
    }
}

/// <summary>Reads a block of the store. If its bytes are damaged the store drops it, and the partition is computed again.</summary>
internal sealed class CachedReader<T>(BlockStore store, RddBlockId id, StoredBlock<T> block, TaskContext context, Func<ChunkReader<T>>? again)
    : LeasedReader<T>(block)
{
    private readonly StoredBlock<T> _block = block;
    private ChunkReader<T>? _instead;
    private bool _begun;

    public override bool TryRead(out ReadOnlySpan<T> chunk)
    {
        if (_instead is not null) return _instead.TryRead(out chunk);
        try
        {
            var more = base.TryRead(out chunk);
            _begun = true;
            context.Metrics.InputRecords += chunk.Length;
            return more;
        }
        catch (Exception e) when (e is CorruptDataException or TempFolderException)
        {
            store.Damaged(id, _block, e);

            // Elements that were given can't be taken back: then the task fails, and its retry finds the block gone.
            if (_begun || again is null)
            {
                context.LostInput(e);
                throw;
            }
            _instead = again();
            return _instead.TryRead(out chunk);
        }
    }

    protected override void Dispose(bool disposing)
    {
        _instead?.Dispose();
        base.Dispose(disposing);
    }
}
