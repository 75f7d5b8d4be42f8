using Dataflow.Sql.Exchange;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Rows;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>What of the groups no longer fits into memory, and how it is put together again: share by share of the hashes of keys.</summary>
internal sealed unsafe partial class AggregateState
{
    // After so many runs all are made into one.
    private const int MostRuns = 8;

    private readonly List<StateRun> _runs = [];
    private List<StateRun>? _runsAfter;

    private ValueList<DataType> StateTypes => [.. keys, .. calls.SelectMany(call => call.Function.StateTypes(call))];

    public override bool IsTooLarge(long mostBytes) => keys.Count > 0 && _spans.Values.Sum(span => span.Grown) > mostBytes;

    public override StateFileKind Choose(bool isSnapshotDue, long mostBytes) => _runs.Count >= MostRuns ? StateFileKind.Base
        : IsTooLarge(mostBytes) ? StateFileKind.Run : base.Choose(isSnapshotDue, mostBytes);

    public override void PutAway(string path, StateFileKind kind, TaskContext context)
    {
        var isBase = kind == StateFileKind.Base;
        long[] spans = [.. (isBase ? Spans : _spans.Keys).Except(_leaving)];
        using (var file = new StateFile.Writer(path))
        {
            foreach (var span in spans) Write(file, span, isBase ? _runs : [], context);
            if (!isBase) foreach (var span in GoneOf(_runs)) file.WriteGone(span);
            file.Commit(IsDurable);
        }
        var run = StateRun.Open(path, [], []);
        _runsAfter = isBase ? [run] : [.. _runs, run];
    }

    public override void EndBatch()
    {
        foreach (var run in _runs) run.Rest();
        if (_runsAfter is null) return;
        _runs.Clear();
        _runs.AddRange(_runsAfter);
        _runsAfter = null;
        foreach (var span in _spans.Values) span.Dispose();
        _spans.Clear();
    }

    /// <summary>Gives groups of a span with their values.</summary>
    /// <param name="span">The span.</param>
    /// <param name="onlyChanged">Whether only groups that the batch changed are wanted.</param>
    /// <param name="context">The task.</param>
    public IEnumerable<ColumnBatch> Give(long span, bool onlyChanged, TaskContext context)
    {
        if (_runs.Exists(run => run.Has(span))) return GiveMerged(span, _runs, onlyChanged, asStates: false, context).Select(part => part.Batch);
        return _spans.ContainsKey(span) ? GiveHere(span, onlyChanged, asStates: false) : [];
    }

    private IEnumerable<ColumnBatch> GiveHere(long span, bool onlyChanged, bool asStates)
    {
        for (var next = 0; TryGive(span, ref next, onlyChanged, asStates, out var batch);) yield return batch;
    }

    // Spans that are gone and that runs still hold, or hold what leaves.
    private IEnumerable<long> GoneOf(List<StateRun> runs) => runs.SelectMany(run => run.Dead).Concat(_dropped).Concat(_leaving).Distinct();

    private void Write(StateFile.Writer file, long span, List<StateRun> runs, TaskContext context)
    {
        using var arena = new TaskArena(context, "state write");
        var (store, frames) = (new RowStore(arena, StateTypes), new FrameBuffer(arena));
        foreach (var (share, batch) in GiveMerged(span, runs, onlyChanged: false, asStates: true, context))
        {
            context.ThrowIfCancelled();
            store.Append(batch);
            file.WriteShare(span, share, store.Count, frames.Of(store));
            store.Clear();
        }
    }

    // Share by share: what was put away, the oldest first, and what is in memory.
    private IEnumerable<(int Share, ColumnBatch Batch)> GiveMerged(long span, List<StateRun> runs, bool onlyChanged, bool asStates, TaskContext context)
    {
        using var arena = new TaskArena(context, "state shares");
        var here = new GroupShares(arena, StateTypes, keys.Count);
        if (_spans.ContainsKey(span)) foreach (var batch in GiveHere(span, onlyChanged, asStates: true)) here.Add(batch);
        var reader = new FrameReader(arena, StateTypes);
        for (var share = 0; share < StateRun.Shares; share++)
        {
            context.ThrowIfCancelled();
            if (!here.Has(share) && (onlyChanged || !runs.Exists(run => run.Has(span, share)))) continue;
            using var ofShare = new TaskArena(context, "state share");
            var groups = new GroupStates(ofShare, keys, calls, givesValues: !asStates);

            // Those that are wanted get the first numbers.
            if (onlyChanged) foreach (var batch in here.Read(share)) groups.Find(batch.Columns.AsSpan(0, keys.Count), batch);
            var wanted = onlyChanged ? groups.Count : int.MaxValue;
            if (wanted == 0) continue;
            foreach (var run in runs)
            {
                foreach (var frame in run.Read(span, share)) Merge(groups, reader, frame.Span);
            }
            foreach (var batch in here.Read(share)) Merge(groups, batch, batch.Selection, groups.Find(batch.Columns.AsSpan(0, keys.Count), batch));
            here.Drop(share);
            for (var next = 0; next < wanted;)
            {
                var first = next;
                if (!groups.TryGive(ref next, asStates, out var batch)) break;
                if (next > wanted) Keep(batch, wanted - first);
                yield return (share, batch);
            }
        }
    }

    private void Merge(GroupStates groups, FrameReader reader, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* frame = bytes)
        {
            var batch = reader.Read(new ReadOnlySpan<byte>(frame, bytes.Length));
            Merge(groups, batch, batch.Selection, groups.Find(batch.Columns.AsSpan(0, keys.Count), batch));
        }
    }

    private void Keep(ColumnBatch batch, int rows)
    {
        fixed (ulong* mask = _mask)
        {
            Bits.Zero(mask, batch.Rows);
            for (var i = 0; i < rows; i++) Bits.Set(mask, i);
            batch.Set(batch.Rows, mask);
        }
    }
}
