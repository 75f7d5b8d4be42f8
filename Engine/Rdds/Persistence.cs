using System.Text;

namespace Dataflow;

// Keeping, naming and describing Rdds.
public abstract partial class Rdd<T>
{
    /// <summary>Keeps the partitions in memory, and on disk what does not fit, once an action has computed them.</summary>
    /// <remarks>Lazy. As <c>Persist(StorageLevel.MemoryAndDisk)</c>: nothing is ever recomputed for lack of memory.</remarks>
    /// <returns>This Rdd.</returns>
    public Rdd<T> Cache() => Persist(StorageLevel.MemoryAndDisk);

    /// <summary>Keeps the partitions once an action has computed them.</summary>
    /// <remarks>Lazy.</remarks>
    /// <param name="level">Where; can't be changed while something is kept.</param>
    /// <returns>This Rdd.</returns>
    /// <exception cref="InvalidOperationException">It is kept at another level already.</exception>
    public Rdd<T> Persist(StorageLevel level)
    {
        ArgumentNullException.ThrowIfNull(level);
        Context.ThrowIfStopped();
        if (level is { IsKept: true, Serialized: true } or { UseDisk: true }) _ = Serialization.Codec<T>.Default;
        SetStorageLevel(level);
        return this;
    }

    /// <summary>Drops what is kept of the partitions; they are computed again when next needed.</summary>
    /// <remarks>Tasks that read them now go on.</remarks>
    /// <returns>This Rdd.</returns>
    public Rdd<T> Unpersist()
    {
        Context.ThrowIfStopped();
        SetStorageLevel(StorageLevel.None);
        Context.DropBlocks(Id);
        return this;
    }

    /// <summary>Gives a name that errors, logs and pages show instead of the verb.</summary>
    /// <param name="name">Any text.</param>
    /// <returns>This Rdd.</returns>
    public Rdd<T> SetName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Name = name;
        return this;
    }

    /// <summary>Has each task of the stage that computes this Rdd take more than one slot, or named resources such as <c>gpu</c>.</summary>
    /// <remarks>
    /// Lazy. Counts for the whole stage: for all that is computed together with this Rdd, up to the shuffles before and behind it. A task finds the
    /// addresses that are its own in <c>TaskContext.Current.Resources</c>. A job fails if a stage is asked for two different things, or for
    /// something that nobody offers (after <see cref="DataflowOptions.NoExecutorTimeout"/>, or at once in local mode).
    /// </remarks>
    /// <param name="profile">What one task takes.</param>
    /// <returns>This Rdd.</returns>
    public Rdd<T> WithResources(ResourceProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        Context.ThrowIfStopped();
        Context.HasStageWishes = true;
        Resources = profile;
        return this;
    }

    /// <summary>Has each task that computes this Rdd prefer the executor that keeps its object of an earlier job: the one of its partition under
    /// <paramref name="name"/> in the <see cref="Storage.ExecutorState"/>.</summary>
    /// <remarks>
    /// Lazy. Tasks make and find the object with <c>TaskContext.Current.Services.State.GetOrCreate(ExecutorState.KeyOf(name, partition), ...)</c>. A task waits
    /// <see cref="DataflowOptions.LocalityWait"/> for a slot of that executor, the tasks of a barrier stage together; then it runs elsewhere, and so it
    /// does if the executor is gone: a factory that can make the object anew is needed all the same.
    /// </remarks>
    /// <param name="name">What the objects are called; the same in all jobs that share them.</param>
    /// <returns>This Rdd.</returns>
    public Rdd<T> NearState(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Context.ThrowIfStopped();
        StateName = name;
        return this;
    }

    /// <summary>The lineage as text: one line per Rdd, indented at each shuffle.</summary>
    public string ToDebugString() => LineageText.Of(this);
}

/// <summary>Prints lineage.</summary>
internal static class LineageText
{
    private const int Longest = 200;

    public static string Of(Rdd root)
    {
        var text = new StringBuilder();
        var stack = new Stack<(Rdd Rdd, int Depth)>();
        var seen = new HashSet<Rdd>(ReferenceEqualityComparer.Instance);
        stack.Push((root, 0));
        var lines = 0;
        while (stack.TryPop(out var top))
        {
            if (lines++ == Longest)
            {
                text.Append("... and more\n");
                break;
            }
            var (rdd, depth) = top;
            text.Append(' ', depth * 2).Append(depth > 0 ? "+-" : "").Append('(').Append(rdd.PartitionCount).Append(") [").Append(rdd.Id).Append("] ").Append(rdd);
            if (rdd.StorageLevel.IsKept) text.Append(" [kept]");
            if (!seen.Add(rdd))
            {
                text.Append(" (see above)\n");
                continue;
            }
            text.Append('\n');
            for (var i = rdd.LiveDependencies.Count - 1; i >= 0; i--)
                stack.Push((rdd.LiveDependencies[i].Rdd, depth + (rdd.LiveDependencies[i] is ShuffleDependency || rdd.LiveDependencies.Count > 1 ? 1 : 0)));
        }
        return text.ToString();
    }
}
