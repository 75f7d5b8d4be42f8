using Dataflow.Shuffle;
using Dataflow.Storage;

namespace Dataflow.Scheduling;

// What becomes of what a worker keeps when it is about to leave: others take it over before its executors are let go. What they don't take is lost with the worker.
internal sealed partial class DagScheduler
{
    // Small enough that what was taken when the worker's time is up counts, and that a receiver holds little at once.
    private const long MostBytesOfTransfer = 16 << 20;

    private const int MostOutputsOfTransfer = 256;

    private readonly Dictionary<WorkerId, Handover> _handovers = [];
    private readonly Dictionary<long, Transfer> _transfers = [];

    // They get no tasks any more, and nothing to keep.
    private readonly HashSet<ExecutorId> _closed = [];
    private long _nextTransfer;

    /// <summary>Whether a worker is about to leave.</summary>
    public bool IsLeaving(WorkerId worker) => _handovers.ContainsKey(worker);

    /// <summary>An executor that was to leave runs nothing any more.</summary>
    /// <returns>Whether it has to stay, since what it keeps is being handed over; it is told of again when that is done.</returns>
    public bool HoldsBack(ExecutorId executor)
    {
        if (!_executors.TryGetValue(executor, out var at) || !_handovers.TryGetValue(at.Worker, out var handover) || handover.IsDone) return false;
        handover.Idle.Add(executor);
        Advance(at.Worker, handover);
        return true;
    }

    private void OnWorkerDraining(WorkerDraining e)
    {
        if (_lostWorkers.Contains(e.Worker)) return;
        if (!_handovers.TryGetValue(e.Worker, out var handover)) _handovers.Add(e.Worker, handover = new Handover());

        // Asked again, since nobody heard the answer: there may be more by now.
        handover.IsDone = false;
        Advance(e.Worker, handover);
    }

    private void OnTakenOver(TakenOver e)
    {
        if (!_transfers.TryGetValue(e.Transfer, out var transfer) || transfer.To != e.Executor) return;
        _transfers.Remove(e.Transfer);
        var here = _executors[e.Executor].Worker;
        var moved = false;
        foreach (var position in e.Outputs)
        {
            if ((uint)position >= (uint)transfer.Outputs.Count) continue;
            var output = transfer.Outputs[position];
            if (_outputs.Move(output.Shuffle, output.Map, new MapLocation(transfer.From, output.Writer), here))
                moved = true;
            else if (_outputs.MapCount(output.Shuffle) is null)
                _actions.Enqueue(new DropShuffle(output.Shuffle));
        }
        if (moved) _outputs.Advance();
        Close(e.Transfer, transfer.From);
    }

    private void Close(long transfer, WorkerId from)
    {
        if (_handovers.TryGetValue(from, out var handover) && handover.Open.Remove(transfer)) Advance(from, handover);
    }

    // A receiver that is gone took nothing; one that leaves need not wait for an executor that is gone.
    private void LeaveHandovers(ExecutorId executor, WorkerId worker)
    {
        _closed.Remove(executor);
        foreach (var (number, transfer) in _transfers.Where(open => open.Value.To == executor).ToArray())
        {
            _transfers.Remove(number);
            Close(number, transfer.From);
        }
        if (!_handovers.TryGetValue(worker, out var handover)) return;
        handover.Idle.Remove(executor);
        Advance(worker, handover);
    }

    private void EndHandover(WorkerId worker)
    {
        if (!_handovers.Remove(worker, out var handover)) return;
        foreach (var transfer in handover.Open) _transfers.Remove(transfer);
    }

    // First all of its executors are to be idle, for what runs may add to what it keeps.
    private void Advance(WorkerId worker, Handover handover)
    {
        if (handover.IsDone) return;
        if (!handover.IsPlanned)
        {
            if (_executors.Any(executor => executor.Value.Worker == worker && !handover.Idle.Contains(executor.Key))) return;
            handover.IsPlanned = true;
            Plan(worker, handover);
        }
        if (handover.Open.Count > 0) return;
        handover.IsPlanned = false;
        handover.IsDone = true;
        foreach (var executor in handover.Idle) _actions.Enqueue(new ExecutorDrained(executor));
        handover.Idle.Clear();
        _actions.Enqueue(new WorkerHandedOver(worker));
    }

    private void Plan(WorkerId worker, Handover handover)
    {
        var loads = _executors.Where(other => !_handovers.ContainsKey(other.Value.Worker) && !_closed.Contains(other.Key))
            .OrderBy(other => other.Key.Value).ToDictionary(other => other.Key, _ => 0L);
        if (loads.Count == 0) return;
        PlanOutputs(worker, handover, loads);
        foreach (var executor in _executors.Where(executor => executor.Value.Worker == worker).Select(executor => executor.Key).ToArray())
            PlanCached(executor, worker, handover, loads);
    }

    private void PlanOutputs(WorkerId worker, Handover handover, Dictionary<ExecutorId, long> loads)
    {
        var batches = new Dictionary<ExecutorId, (List<MovedOutput> Outputs, long Bytes)>();
        foreach (var (shuffle, map, writer) in _outputs.ServedBy(worker))
        {
            var to = Lightest(loads, []);
            var (ends, bytes) = CutsOf(shuffle, map);
            loads[to!.Value] += bytes;
            if (!batches.TryGetValue(to.Value, out var batch)) batch = ([], 0);
            batch.Outputs.Add(new MovedOutput(shuffle, map, writer, ends));
            batch.Bytes += bytes;
            if (batch.Bytes >= MostBytesOfTransfer || batch.Outputs.Count >= MostOutputsOfTransfer)
            {
                Send(to.Value, batch.Outputs);
                batch = ([], 0);
            }
            batches[to.Value] = batch;
        }
        foreach (var (to, (outputs, _)) in batches)
        {
            if (outputs.Count > 0) Send(to, outputs);
        }

        void Send(ExecutorId to, List<MovedOutput> outputs) =>
            _actions.Enqueue(new HandOver(Begin(worker, handover, to, outputs), worker, to, outputs));
    }

    private void PlanCached(ExecutorId from, WorkerId worker, Handover handover, Dictionary<ExecutorId, long> loads)
    {
        foreach (var (block, replicas) in _cached.KeptBy(from))
        {
            var keepers = _cached.ExecutorsOf(block.Rdd, block.Partition);

            // Of several executors of the worker that have it the first gives it.
            if (keepers.Count(loads.ContainsKey) >= replicas || keepers.First(keeper => _executors[keeper].Worker == worker) != from) continue;
            if (Lightest(loads, keepers) is not { } to) continue;
            loads[to] += MostBytesOfTransfer;
            _actions.Enqueue(new CopyCached(block, from, to, replicas, _outputs.Epoch) { Transfer = Begin(worker, handover, to, []) });
        }
    }

    private long Begin(WorkerId from, Handover handover, ExecutorId to, List<MovedOutput> outputs)
    {
        var number = _nextTransfer++;
        _transfers.Add(number, new Transfer(from, to, outputs));
        handover.Open.Add(number);
        return number;
    }

    private static ExecutorId? Lightest(Dictionary<ExecutorId, long> loads, IReadOnlyList<ExecutorId> but)
    {
        ExecutorId? best = null;
        foreach (var (executor, load) in loads)
        {
            if (!but.Contains(executor) && (best is null || load < loads[best.Value])) best = executor;
        }
        return best;
    }

    /// <summary>Where an output is cut to be taken in pieces: ends of runs of reduce partitions.</summary>
    private (int[] Ends, long Bytes) CutsOf(ShuffleId shuffle, int map)
    {
        var sizes = _outputs.SizesOf(shuffle)!;
        var ends = new List<int>();
        var (total, piece) = (0L, 0L);
        for (var reduce = 0; reduce < sizes.ReducePartitions; reduce++)
        {
            var bytes = sizes.BytesOf(map, reduce);
            if (piece > 0 && piece + bytes > MostBytesOfTransfer)
            {
                ends.Add(reduce);
                piece = 0;
            }
            piece += bytes;
            total += bytes;
        }
        ends.Add(sizes.ReducePartitions);
        return ([.. ends], total);
    }

    private sealed record Transfer(WorkerId From, ExecutorId To, List<MovedOutput> Outputs);

    private sealed class Handover
    {
        /// <summary>Executors that are held back.</summary>
        public HashSet<ExecutorId> Idle { get; } = [];

        /// <summary>Transfers that have not ended.</summary>
        public HashSet<long> Open { get; } = [];

        public bool IsPlanned { get; set; }

        public bool IsDone { get; set; }
    }
}
