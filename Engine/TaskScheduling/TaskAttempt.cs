using Dataflow.Tasks;

namespace Dataflow.TaskScheduling;

/// <summary>An attempt that runs.</summary>
internal sealed class TaskAttempt(TaskDescription description, TaskSet set, int index, ExecutorSlots executor, ResourceShare[] shares, TimeSpan start)
{
    public TaskDescription Description { get; } = description;

    public TaskSet Set { get; } = set;

    /// <summary>Its task's entry in the set.</summary>
    public int Index { get; } = index;

    public ExecutorSlots Executor { get; } = executor;

    /// <summary>What it holds of the executor's named resources.</summary>
    public ResourceShare[] Shares { get; } = shares;

    public TimeSpan Start { get; } = start;

    /// <summary>Whether it was asked to end.</summary>
    public bool IsKilled { get; set; }

    internal TaskAttempt? Older { get; set; }

    internal TaskAttempt? Newer { get; set; }
}

/// <summary>The running attempts of a set by the time they began, linked through themselves.</summary>
internal sealed class AttemptList
{
    private TaskAttempt? _newest;

    public TaskAttempt? Oldest { get; private set; }

    public void Add(TaskAttempt attempt)
    {
        attempt.Older = _newest;
        if (_newest is null)
            Oldest = attempt;
        else
            _newest.Newer = attempt;
        _newest = attempt;
    }

    public void Remove(TaskAttempt attempt)
    {
        if (attempt.Older is { } older)
            older.Newer = attempt.Newer;
        else
            Oldest = attempt.Newer;
        if (attempt.Newer is { } newer)
            newer.Older = attempt.Older;
        else
            _newest = attempt.Older;
        attempt.Older = attempt.Newer = null;
    }

    /// <summary>Whether an attempt at a task runs on an executor. Looks at all that run.</summary>
    public bool Any(int index, ExecutorSlots executor)
    {
        for (var attempt = Oldest; attempt is not null; attempt = attempt.Newer)
        {
            if (attempt.Index == index && attempt.Executor == executor) return true;
        }
        return false;
    }

    /// <summary>The attempts at a task. Looks at all that run.</summary>
    public List<TaskAttempt> Of(int index)
    {
        var found = new List<TaskAttempt>();
        for (var attempt = Oldest; attempt is not null; attempt = attempt.Newer)
        {
            if (attempt.Index == index) found.Add(attempt);
        }
        return found;
    }
}
