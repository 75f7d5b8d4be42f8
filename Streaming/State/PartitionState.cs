using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>What an operator keeps of one partition from batch to batch. Used by one task at a time.</summary>
/// <remarks>It is as some file says (<see cref="Tip"/>); a task that expects it after another file makes it anew from files.</remarks>
internal abstract class PartitionState : IDisposable
{
    private int _isUsed;

    /// <summary>The last file of the chain that it was made from, or that was written of it; empty if there is none.</summary>
    public string Tip { get; set; } = "";

    /// <summary>The last file of changes that this object has written, and where it ends: nobody else writes there. Null where the next ones begin a file.</summary>
    public (string File, long End)? Changes { get; set; }

    /// <summary>Whether its files are on the disk before they count.</summary>
    public bool IsDurable { get; set; } = true;

    /// <summary>Where its arenas have their memory.</summary>
    public StateMemory? Memory { get; set; }

    /// <summary>Rows or groups in it.</summary>
    public abstract long Count { get; }

    /// <summary>Whether the batch has changed anything.</summary>
    public abstract bool HasChanged { get; }

    /// <summary>Whether so much of it is forgotten that all should be written anew, which makes room.</summary>
    public virtual bool IsSparse => false;

    /// <summary>Whether what is in memory is to be put away before the batch goes on: it takes more than it should.</summary>
    /// <param name="mostBytes">Bytes of memory that it should not take more of.</param>
    public virtual bool IsTooLarge(long mostBytes) => false;

    /// <summary>Whether of the records of a file those that come first count, and what follows is older.</summary>
    public virtual bool HasNewestFirst => false;

    /// <summary>How it is to be written.</summary>
    /// <param name="isSnapshotDue">Whether so many files make it that all should be written anew.</param>
    /// <param name="mostBytes">Bytes of memory that it should not take more of.</param>
    public virtual StateFileKind Choose(bool isSnapshotDue, long mostBytes) => isSnapshotDue || IsSparse ? StateFileKind.Snapshot : StateFileKind.Delta;

    /// <summary>Takes it for a task.</summary>
    /// <returns>False if another task has it.</returns>
    public bool TryUse() => Interlocked.CompareExchange(ref _isUsed, 1, 0) == 0;

    /// <summary>Gives it back.</summary>
    public void EndUse() => Volatile.Write(ref _isUsed, 0);

    /// <summary>Begins a batch: nothing has changed.</summary>
    public abstract void Begin();

    /// <summary>Writes what the batch changed, or all.</summary>
    /// <param name="file">The file.</param>
    /// <param name="all">Whether everything is written.</param>
    /// <param name="context">The task.</param>
    public abstract void Write(StateFile.Writer file, bool all, TaskContext context);

    /// <summary>Puts what is in memory away into a file; that it lies there counts from <see cref="EndBatch"/> on.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind"><see cref="StateFileKind.Run"/>, <see cref="StateFileKind.Part"/> or <see cref="StateFileKind.Base"/>.</param>
    /// <param name="context">The task.</param>
    public virtual void PutAway(string path, StateFileKind kind, TaskContext context) => throw new InvalidOperationException("This state stays in memory. Please report this.");

    /// <summary>All that the batch gives was given.</summary>
    public virtual void EndBatch() { }

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>What a file of state holds, of what was in memory and of what was put away.</summary>
internal enum StateFileKind
{
    /// <summary>What the batch changed.</summary>
    Delta,

    /// <summary>What this batch and some before it changed: takes the place of their files.</summary>
    Merged,

    /// <summary>All that is in memory: takes the place of files of what is in memory before it.</summary>
    Snapshot,

    /// <summary>All that was in memory, put away at the end of a batch: takes the place of files of what was in memory before it.</summary>
    Run,

    /// <summary>As a run, put away within a batch.</summary>
    Part,

    /// <summary>All that was put away and that was in memory: takes the place of all files.</summary>
    Base,
}
