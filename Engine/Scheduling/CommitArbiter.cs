namespace Dataflow.Scheduling;

/// <summary>Lets one attempt of each task make its output final, so that copies and late attempts cannot write it twice.</summary>
internal sealed class CommitArbiter
{
    private readonly Dictionary<StageId, Dictionary<int, Holder>> _stages = [];

    /// <summary>Asks for the right to commit a partition. Asking again gives the same answer.</summary>
    /// <returns>Whether this attempt has it now.</returns>
    public bool TryGrant(StageId stage, int partition, TaskId attempt)
    {
        if (!_stages.TryGetValue(stage, out var holders)) _stages[stage] = holders = [];
        if (holders.TryGetValue(partition, out var holder)) return !holder.IsDone && holder.Attempt == attempt;
        holders[partition] = new Holder(attempt, IsDone: false);
        return true;
    }

    /// <summary>An attempt ended. If it held the right and its result counts, nobody else ever gets it; otherwise the next one may.</summary>
    public void Ended(StageId stage, int partition, TaskId attempt, bool counts)
    {
        if (!_stages.TryGetValue(stage, out var holders)) return;
        if (!holders.TryGetValue(partition, out var holder) || holder.Attempt != attempt) return;
        if (counts)
            holders[partition] = holder with { IsDone = true };
        else
            holders.Remove(partition);
    }

    /// <summary>Everything that a stage committed is made anew.</summary>
    public void Reopen(StageId stage)
    {
        if (!_stages.TryGetValue(stage, out var holders)) return;
        foreach (var (partition, holder) in holders.ToArray())
        {
            if (holder.IsDone) holders.Remove(partition);
        }
    }

    public void Forget(StageId stage) => _stages.Remove(stage);

    private readonly record struct Holder(TaskId Attempt, bool IsDone);
}
