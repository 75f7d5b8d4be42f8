using Dataflow.Files;
using Dataflow.Sql.Plans;
using Dataflow.Streaming.Execution;
using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Checkpoints;

/// <summary>Reads the state in a checkpoint, without its query and without its lock: files that a commit names are never changed, only deleted.</summary>
internal sealed class StateInspector
{
    private readonly Checkpoint _checkpoint;
    private readonly CheckpointMetadata _metadata;
    private readonly SqlSession _session;

    public StateInspector(SqlSession session, string folder)
    {
        StreamingException.Register();
        _session = session;
        (_checkpoint, _metadata) = Checkpoint.Look(folder);
    }

    /// <summary>What there is.</summary>
    public CheckpointState Describe()
    {
        var (done, planned) = _checkpoint.Find(_metadata);
        var entry = done < 0 ? null : _checkpoint.Offsets.Read<OffsetEntry>(done);
        var states = DescribedStates(_checkpoint, _metadata);
        return new CheckpointState(
            _metadata.Id, Enum.Parse<OutputMode>(_metadata.OutputMode), _metadata.StatePartitions, Readable(), planned,
            entry?.Watermark is { } watermark ? DateTimeOffset.UnixEpoch.AddTicks(watermark * TimeSpan.TicksPerMicrosecond) : null,
            [.. _metadata.Sources.Select((name, i) => new CheckpointSource(name, entry?.Ends[i]))],
            [.. states.Select((state, i) => new CheckpointOperator(
                i, state.Kind, _metadata.Operators[i], state.IsSingle ? 1 : _metadata.StatePartitions, Contents(i, [], 0, -1).Schema,
                state.Sides.Length > 1 ? Contents(i, [], 1, -1).Schema : null))]);
    }

    /// <summary>The state of an operator after a batch.</summary>
    public DataFrame Read(int @operator, int? partition, long? batch, StateJoinSide side)
    {
        var states = DescribedStates(_checkpoint, _metadata);
        if ((uint)@operator >= states.Length)
        {
            throw new StreamingException("STATE_NOT_FOUND", states.Length == 0
                ? $"The query of the checkpoint '{_checkpoint.Folder}' keeps no state."
                : $"The query of the checkpoint '{_checkpoint.Folder}' has state in the operators 0 to {states.Length - 1}, and {@operator} is asked for: {string.Join("; ", _metadata.Operators)}.");
        }
        if (side == StateJoinSide.Right && states[@operator].Sides.Length < 2)
            throw new StreamingException("STATE_NOT_FOUND", $"Operator {@operator} of the checkpoint '{_checkpoint.Folder}' is no join, and has one side only: {_metadata.Operators[@operator]}. Leave the side out.");
        var of = batch ?? _checkpoint.Find(_metadata).Done;
        var chains = of < 0 ? [] : ChainsOf(of)[@operator];
        if (of >= 0 && !IsThere(@operator, chains)) throw NotKept(of);
        if (partition is { } wanted && of >= 0 && (uint)wanted >= chains.Length)
            throw new StreamingException("STATE_NOT_FOUND", $"The state of operator {@operator} in the checkpoint '{_checkpoint.Folder}' lies in the partitions 0 to {chains.Length - 1}, and {wanted} is asked for.");
        int[] partitions = partition is { } one && of >= 0 ? [one] : [.. Enumerable.Range(0, chains.Length)];
        return new DataFrame(_session, Scan.Of(new StoredStateTable(Contents(@operator, chains, (int)side, of), partitions)), null);
    }

    /// <summary>What the states of operators are.</summary>
    /// <exception cref="StreamingException">The checkpoint does not say.</exception>
    public static StateDescription[] DescribedStates(Checkpoint checkpoint, CheckpointMetadata metadata) => metadata.State ?? (metadata.Operators.Length == 0 ? [] : throw new StreamingException(
        "STATE_NOT_DESCRIBED", $"The checkpoint '{checkpoint.Folder}' was written by a version of Dataflow that did not say what its state is. Start its query with this version once, with new rows or "
        + "without, and stop it: that writes it down."));

    private StateContents Contents(int @operator, string[][] chains, int side, long batch)
    {
        var state = _metadata.State![@operator];
        return new StateContents(_checkpoint.StateFolder(@operator), chains, state, side, StateContents.CallsOf(state, _session.Functions.FindAggregate), batch);
    }

    private string[][][] ChainsOf(long batch)
    {
        if (!_checkpoint.Commits.Numbers().Contains(batch)) throw NotKept(batch);
        return _checkpoint.ChainsOf(_metadata, batch);
    }

    private long[] Readable() => [.. _checkpoint.Commits.Numbers().Where(batch => ChainsOf(batch).Select((chains, i) => IsThere(i, chains)).All(isThere => isThere))];

    private bool IsThere(int @operator, string[][] chains)
    {
        var folder = _checkpoint.StateFolder(@operator);
        return chains.SelectMany(chain => chain).All(file => FileSystems.For(folder).Find(FilePath.Combine(folder, StateFile.Split(file).Path)) is not null);
    }

    private StreamingException NotKept(long batch)
    {
        var done = _checkpoint.Find(_metadata).Done;
        if (batch == done) return new("CHECKPOINT_DAMAGED", $"Files of the state after batch {batch}, the last, are missing in '{_checkpoint.Folder}'. Bring the checkpoint's folder back from a copy; or read again, if its query runs.");
        var there = Readable();
        return new("STATE_BATCH_NOT_KEPT", $"The state after batch {batch} is not in the checkpoint '{_checkpoint.Folder}'{(batch > done ? $", whose last batch is {done}" : ": its files are gone, or it never was")}. "
            + (there.Length == 0 ? "No batch can be read." : $"Those that can be read: {string.Join(", ", there)}."));
    }
}
