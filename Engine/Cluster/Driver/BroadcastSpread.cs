using Dataflow.Scheduling;

namespace Dataflow.Cluster;

/// <summary>Tells executors from whom to fetch the pieces of broadcast values: a <see cref="BroadcastSwarm"/> for each value, and the links to say so. Thread-safe.</summary>
/// <param name="blocks">Has the values.</param>
/// <param name="find">The link of an executor and where its blocks are fetched; null if it is not here.</param>
internal sealed class BroadcastSpread(DriverBlocks blocks, Func<ExecutorId, (IControlChannel Channel, string DataUrl)?> find)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, BroadcastSwarm> _swarms = [];

    /// <summary>An executor wants the next piece of a value that it lacks. May encode the value: not for the thread of a link.</summary>
    public void Want(ExecutorId executor, long broadcast)
    {
        int pieces;
        try
        {
            pieces = blocks.PiecesOf(broadcast);
        }
        catch (Exception error)
        {
            // Whatever it is, a task waits for the answer.
            find(executor)?.Channel.Send(new PieceAt(broadcast, 0, 0, null, error.Message));
            return;
        }
        lock (_lock)
        {
            // Its loss is told after it is out of reach.
            if (find(executor) is null) return;
            if (!_swarms.TryGetValue(broadcast, out var swarm))
            {
                // Values that nobody holds any more need none.
                foreach (var gone in _swarms.Keys.Where(id => !blocks.Has(id)).ToArray()) _swarms.Remove(gone);
                _swarms.Add(broadcast, swarm = new BroadcastSwarm(pieces));
            }
            Send(broadcast, swarm, swarm.Want(executor.Value));
        }
    }

    /// <summary>An executor has fetched a piece, or could not.</summary>
    public void Got(ExecutorId executor, GotPiece got)
    {
        lock (_lock)
        {
            if (_swarms.TryGetValue(got.Broadcast, out var swarm)) Send(got.Broadcast, swarm, swarm.Got(executor.Value, got.Piece, got.Whole));
        }
    }

    /// <summary>An executor is gone. It can't be found any more.</summary>
    public void Lost(ExecutorId executor)
    {
        lock (_lock)
        {
            foreach (var (broadcast, swarm) in _swarms) Send(broadcast, swarm, swarm.Lost(executor.Value));
        }
    }

    /// <summary>Executors are told to forget a value. Those that fetch it begin anew.</summary>
    public void Drop(long broadcast)
    {
        lock (_lock) _swarms.Remove(broadcast);
    }

    private void Send(long broadcast, BroadcastSwarm swarm, IReadOnlyList<PieceGrant> grants)
    {
        foreach (var grant in grants)
        {
            // A source that is gone in this moment: the executor finds out and says so.
            var source = grant.Source is { } peer ? find(new ExecutorId(peer))?.DataUrl ?? "http://127.0.0.1:9" : null;
            find(new ExecutorId(grant.Executor))?.Channel.Send(new PieceAt(broadcast, grant.Piece, swarm.Pieces, source, null));
        }
    }
}
