using System.Collections.Concurrent;
using Dataflow.Shuffle;
using Dataflow.Storage;

namespace Dataflow.Cluster;

/// <summary>Brings the values of broadcasts to an executor, piece by piece from whom the driver names, and keeps the pieces for others.</summary>
/// <param name="send">Sends to the driver.</param>
/// <param name="fetch">Fetches a block: from another executor at an address, or from the driver if that is null. Null if it can't be had.</param>
/// <param name="ended">Completes when the driver is gone.</param>
internal sealed class BroadcastFetcher(Action<ControlMessage> send, Func<string?, BlockName, byte[]?> fetch, Task ended)
{
    // The driver itself could not give a piece so often: the value is not to be had.
    private const int MostFailures = 4;

    private readonly ConcurrentDictionary<long, byte[]?[]> _pieces = new();
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
                Volatile.Write(ref pieces[answer.Piece], bytes);
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
    public void Drop(long broadcast) => _pieces.TryRemove(broadcast, out _);

    private PieceAt Ask(long broadcast)
    {
        var answer = _asked.GetOrAdd(broadcast, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        send(new WantPiece(broadcast));
        if (Task.WaitAny(answer.Task, ended) == 1 && !answer.Task.IsCompleted)
            throw new ClusterException($"The driver was gone before broadcast {broadcast} was fetched.");
        return answer.Task.Result;
    }
}
