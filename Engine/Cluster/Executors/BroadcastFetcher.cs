using System.Collections.Concurrent;
using Dataflow.Shuffle;
using Dataflow.Storage;

namespace Dataflow.Cluster;

/// <summary>Brings the values of broadcasts to an executor, piece by piece from whom the driver names, and keeps the pieces for others, within the memory budget:
/// those of a value that is here whole are dropped when somebody else needs the memory.</summary>
/// <param name="memory">What the pieces are charged to.</param>
/// <param name="send">Sends to the driver.</param>
/// <param name="fetch">Fetches a block: from another executor at an address, or from the driver if that is null. Null if it can't be had.</param>
/// <param name="ended">Completes when the driver is gone.</param>
internal sealed class BroadcastFetcher(MemoryBudget memory, Action<ControlMessage> send, Func<string?, BlockName, byte[]?> fetch, Task ended) : IDisposable
{
    // The driver itself could not give a piece so often: the value is not to be had.
    private const int MostFailures = 4;

    // Written under the lock, with what is charged for.
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<long, byte[]?[]> _pieces = new();
    private Charge? _charge;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<PieceAt>> _asked = new();

    /// <summary>Brings a value. One caller for each value at a time.</summary>
    /// <exception cref="ClusterException">Nobody has it, or it was destroyed.</exception>
    public ReadOnlyMemory<byte> Fetch(long broadcast)
    {
        // All here already: a task that was to decode it failed.
        if (_pieces.TryGetValue(broadcast, out var known) && Array.IndexOf(known, null) < 0) return BroadcastPieces.Join(known!);
        var failures = 0;
        while (true)
        {
            var answer = Ask(broadcast);
            if (answer.Problem is { } problem) throw new ClusterException($"Broadcast {broadcast} can't be had from the driver: {problem}");
            var pieces = _pieces.GetOrAdd(broadcast, static (_, count) => new byte[count][], answer.Pieces);
            var bytes = fetch(answer.Source, BlockName.Broadcast(new BroadcastBlockId(broadcast, answer.Piece)));
            if (bytes is not null)
                Keep(broadcast, pieces, answer.Piece, bytes);
            else if (answer.Source is null && ++failures == MostFailures)
                throw new ClusterException($"Piece {answer.Piece} of broadcast {broadcast} could not be fetched from the driver, {failures} times.");
            send(new GotPiece(broadcast, answer.Piece, bytes is not null));
            if (Array.IndexOf(pieces, null) < 0) return BroadcastPieces.Join(pieces!);
        }
    }

    /// <summary>The driver has said from whom to fetch a piece.</summary>
    public void Answer(PieceAt answer)
    {
        if (_asked.TryRemove(answer.Broadcast, out var waits)) waits.TrySetResult(answer);
    }

    /// <summary>Opens a piece for another executor; null if it is not here.</summary>
    public ServedBlock? Open(BlockName name) =>
        _pieces.TryGetValue(name.First, out var pieces) && name.Second < pieces.Length && Volatile.Read(ref pieces[name.Second]) is { } piece ? ServedBlock.Of(piece) : null;

    /// <summary>Forgets the pieces of a value.</summary>
    public void Drop(long broadcast)
    {
        lock (_lock)
        {
            if (_pieces.TryRemove(broadcast, out var pieces)) Release(pieces.Sum(piece => (long)(piece?.Length ?? 0)));
        }
    }

    /// <summary>Gives back what the pieces are charged.</summary>
    public void Dispose() => _charge?.Dispose();

    private void Keep(long broadcast, byte[]?[] pieces, int piece, byte[] bytes)
    {
        var charge = LazyInitializer.EnsureInitialized(ref _charge, () => new Charge(this, memory));

        // The task can't go on without it, and what may be dropped for it is.
        memory.Reserve(bytes.Length, charge);
        lock (_lock)
        {
            // Dropped meanwhile, it is for this one use.
            var isKept = _pieces.TryGetValue(broadcast, out var known) && known == pieces && pieces[piece] is null;
            Volatile.Write(ref pieces[piece], bytes);
            if (!isKept) Release(bytes.Length);
        }
    }

    private long GiveBack(long bytes)
    {
        var given = 0L;
        lock (_lock)
        {
            foreach (var (broadcast, pieces) in _pieces)
            {
                // One that is on its way is worked with.
                if (given >= bytes || Array.IndexOf(pieces, null) >= 0) continue;
                _pieces.TryRemove(broadcast, out _);
                given += pieces.Sum(piece => (long)piece!.Length);
            }
            Release(given);
        }
        return given;
    }

    private void Release(long bytes)
    {
        if (bytes > 0) memory.Release(bytes, _charge!);
    }

    private PieceAt Ask(long broadcast)
    {
        var answer = _asked.GetOrAdd(broadcast, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        send(new WantPiece(broadcast));
        if (Task.WaitAny(answer.Task, ended) == 1 && !answer.Task.IsCompleted)
            throw new ClusterException($"The driver was gone before broadcast {broadcast} was fetched.");
        return answer.Task.Result;
    }

    private sealed class Charge(BroadcastFetcher fetcher, MemoryBudget memory) : MemoryConsumer(memory, "pieces of broadcasts", MemoryPriority.Cache, MemoryKind.Managed)
    {
        protected internal override long OnRevoke(long bytes) => fetcher.GiveBack(bytes);
    }
}
