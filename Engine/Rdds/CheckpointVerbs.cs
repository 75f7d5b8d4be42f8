using Dataflow.Files;
using Dataflow.Formats;
using Dataflow.Serialization;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>The elements of another Rdd as they were written down: what that Rdd reads instead of its parents.</summary>
internal sealed class CheckpointRdd<T>(DataflowContext context, FilePartition[] parts) : Rdd<T>(context, "Checkpoint")
{
    public override IReadOnlyList<Dependency> Dependencies => [];

    protected internal override Partition[] GetPartitions() => parts;

    protected internal override ChunkReader<T> Compute(Partition partition, TaskContext context) =>
        ObjectFileRdd<T>.OpenSlice(((FilePartition)partition).Slices[0], context);
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
    /// <remarks>Lazy. Faster than <see cref="Checkpoint"/> and less safe: what an executor kept is lost with it, and then the job fails.</remarks>
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
            // Whatever the action did not touch is computed and kept now.
            await Context.RunJobAsync(this, static (reader, _) => CountChunks(reader, _), null, site, cancellationToken).ConfigureAwait(false);
            _checkpointing = Checkpointing.DoneLocally;
            return;
        }
        var folder = Path.Combine(Context.CheckpointFolder!, $"rdd-{Id}-{Guid.NewGuid():N}");
        await SaveAsync(folder, new ObjectFormat<T>(), overwrite: false, site, cancellationToken).ConfigureAwait(false);
        var files = Directory.GetFiles(folder, "part-*");
        Array.Sort(files, StringComparer.Ordinal);
        _checkpoint = new CheckpointRdd<T>(Context, [.. files.Select((file, i) =>
        {
            var length = new FileInfo(file).Length;
            return new FilePartition(i, [new FileSlice(file, 0, length, length)], []);
        })]);
        _ = _checkpoint.PartitionArray;
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
        Checkpointing.Done => _checkpoint!.Compute(_checkpoint.PartitionArray[partition.Index], context),
        Checkpointing.DoneLocally => throw new InvalidOperationException(
            $"Partition {partition.Index} of {this} was kept by LocalCheckpoint and is lost, and its lineage was cut. Use Checkpoint, which survives losses."),
        _ => Compute(partition, context),
    };
}
