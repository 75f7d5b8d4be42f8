using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>What an operator keeps of one partition from batch to batch. Used by one task at a time.</summary>
/// <remarks>It is as some file says (<see cref="Tip"/>); a task that expects it after another file makes it anew from files.</remarks>
internal abstract class PartitionState : IDisposable
{
    private int _isUsed;

    /// <summary>The last file of the chain that it was made from, or that was written of it; empty if there is none.</summary>
    public string Tip { get; set; } = "";

    /// <summary>Rows or groups in it.</summary>
    public abstract long Count { get; }

    /// <summary>Whether the batch has changed anything.</summary>
    public abstract bool HasChanged { get; }

    /// <summary>Whether so much of it is forgotten that all should be written anew, which makes room.</summary>
    public virtual bool IsSparse => false;

    /// <summary>Takes it for a task.</summary>
    /// <returns>False if another task has it.</returns>
    public bool TryUse() => Interlocked.CompareExchange(ref _isUsed, 1, 0) == 0;

    /// <summary>Gives it back.</summary>
    public void EndUse() => Volatile.Write(ref _isUsed, 0);

    /// <summary>Begins a batch: nothing has changed.</summary>
    public abstract void Begin();

    /// <summary>Writes what the batch changed, or all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="all">Whether everything is written.</param>
    /// <param name="context">The task.</param>
    public abstract void Write(string path, bool all, TaskContext context);

    /// <inheritdoc/>
    public abstract void Dispose();
}
