using Dataflow.Files;
using Dataflow.Formats;
using Dataflow.Serialization;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>The elements of another Rdd as they were written down: what that Rdd reads instead of its parents.</summary>
/// <remarks>Knows the part of each partition by its index: tasks are made for the partitions of the Rdd that was written down.</remarks>
internal sealed class CheckpointRdd<T> : Rdd<T>
{
    // A path less its number takes the room of one, however many parts there are.
    private readonly string _before;
    private readonly string _after;
    private readonly int _digits;
    private readonly long[] _lengths;

    /// <param name="files">The parts in the order of their numbers, which all have as many digits.</param>
    public CheckpointRdd(DataflowContext context, string[] files) : base(context, "Checkpoint")
    {
        _lengths = [.. files.Select(static file => new FileInfo(file).Length)];
        if (files.Length == 0)
        {
            _before = _after = "";
            return;
        }
        var name = files[0].AsSpan(files[0].Length - Path.GetFileName(files[0].AsSpan()).Length);
        _before = files[0][..(files[0].Length - name.Length + OutputPlan.PartPrefix.Length)];
        _digits = files[0].AsSpan(_before.Length).IndexOfAnyExceptInRange('0', '9') is >= 0 and var end ? end : files[0].Length - _before.Length;
        _after = files[0][(_before.Length + _digits)..];
        for (var i = 0; i < files.Length; i++)
        {
            if (PathOf(i) != files[i]) throw new InputException($"The checkpoint of {this} has '{files[i]}' where '{PathOf(i)}' belongs.", files[i]);
        }
    }

    public override IReadOnlyList<Dependency> Dependencies => [];

    /// <summary>Reads one part.</summary>
    public ChunkReader<T> Open(int index, TaskContext context) =>
        ObjectFileRdd<T>.OpenSlice(new FileSlice(PathOf(index), 0, _lengths[index], _lengths[index]), context);

    protected internal override Partition[] GetPartitions() => [.. _lengths.Select(static (_, i) => new IndexPartition(i))];

    protected internal override ChunkReader<T> Compute(Partition partition, TaskContext context) => Open(partition.Index, context);

    private string PathOf(int index) => $"{_before}{index.ToString($"D{_digits}", System.Globalization.CultureInfo.InvariantCulture)}{_after}";
}

// Cutting lineage: what is expensive or long to recompute is written down.
public abstract partial class Rdd<T>
{
    private CheckpointRdd<T>? _checkpoint;
    private Checkpointing _checkpointing;

    private enum Checkpointing
    {
        None,
        Asked,
        AskedLocally,
        Done,
        DoneLocally,
    }

    /// <summary>Whether the elements were written down and the lineage is cut.</summary>
    public bool IsCheckpointed => _checkpointing is Checkpointing.Done or Checkpointing.DoneLocally;

    internal override bool HasCutLineage => IsCheckpointed;

    /// <summary>Has the elements written to the checkpoint folder once the next action on this Rdd, or on one that reads it, is done; after that
    /// they are read from there, and the lineage ends here.</summary>
    /// <remarks>Lazy. The writing is a second job, so cache the Rdd first: it would be computed twice. For loops that would grow a lineage of
    /// thousands of steps.</remarks>
    /// <returns>This Rdd.</returns>
    /// <exception cref="InvalidOperationException">No checkpoint folder is set: <c>context.CheckpointFolder = ...</c>.</exception>
    /// <exception cref="CodecException"><typeparamref name="T"/> can't be encoded; the message names the member.</exception>
    public Rdd<T> Checkpoint()
    {
        if (Context.CheckpointFolder is null)
            throw new InvalidOperationException($"{this} can't be checkpointed: set context.CheckpointFolder first, to a folder that every worker sees.");
        _ = Codec<T>.Default;
        return Ask(Checkpointing.Asked);
    }

    /// <summary>Has the elements kept on the executors once the next action is done, and ends the lineage here.</summary>
    /// <remarks>Lazy. Faster than <see cref="Checkpoint"/> and less safe: what an executor kept is lost with it, and then the job fails. If there is no room
    /// to keep all of it, in memory and on disk, the lineage stays as it is.</remarks>
    /// <returns>This Rdd.</returns>
    public Rdd<T> LocalCheckpoint()
    {
        if (!StorageLevel.UseDisk) Persist(StorageLevel.IsKept ? StorageLevel with { UseDisk = true } : StorageLevel.MemoryAndDisk);
        return Ask(Checkpointing.AskedLocally);
    }

    internal override async Task CheckpointAsync(CancellationToken cancellationToken)
    {
        var site = CallSite;
        if (_checkpointing == Checkpointing.AskedLocally)
        {
            // Whatever the action did not touch is computed and kept now. What nobody could keep has to be computed again, so the lineage stays.
            var id = Id;
            var kept = await Context.RunJobAsync(
                this,
                (reader, context) =>
                {
                    CountChunks(reader, context);
                    return context.Services.Blocks.Contains(new RddBlockId(id, context.PartitionIndex));
                },
                null,
                site,
                cancellationToken).ConfigureAwait(false);
            _checkpointing = kept.All(static one => one) ? Checkpointing.DoneLocally : Checkpointing.None;
            return;
        }
        var folder = Path.Combine(Context.CheckpointFolder!, $"rdd-{Id}-{Guid.NewGuid():N}");
        await SaveAsync(folder, new ObjectFormat<T>(), overwrite: false, site, cancellationToken).ConfigureAwait(false);
        var files = Directory.GetFiles(folder, "part-*");
        Array.Sort(files, StringComparer.Ordinal);
        _checkpoint = new CheckpointRdd<T>(Context, files);
        _checkpointing = Checkpointing.Done;
    }

    private Rdd<T> Ask(Checkpointing kind)
    {
        Context.ThrowIfStopped();
        if (_checkpointing != Checkpointing.None) return this;
        _checkpointing = kind;
        Context.WillCheckpoint(this);
        return this;
    }

    private ChunkReader<T> ComputeOrRestore(Partition partition, TaskContext context) => _checkpointing switch
    {
        Checkpointing.Done => _checkpoint!.Open(partition.Index, context),
        Checkpointing.DoneLocally => throw new InvalidOperationException(
            $"Partition {partition.Index} of {this} was kept by LocalCheckpoint and is lost, and its lineage was cut. Use Checkpoint, which survives losses."),
        _ => Compute(partition, context),
    };
}
