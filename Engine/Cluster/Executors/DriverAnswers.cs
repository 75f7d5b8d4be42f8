using System.Collections.Concurrent;
using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Shared;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>What tasks ask the driver and wait for: whether they may commit, and what the others of their stage brought to a meeting.</summary>
/// <param name="driver">The link to the driver.</param>
internal sealed class DriverAnswers(IControlChannel driver) : ICommitCoordinator, IMeetingPoint
{
    private readonly ConcurrentDictionary<TaskId, TaskCompletionSource<bool>> _commits = new();
    private readonly ConcurrentDictionary<(TaskId, int), TaskCompletionSource<MeetingAnswer>> _meetings = new();

    public bool MayCommit(TaskDescription task)
    {
        var answer = _commits.GetOrAdd(task.Id, static _ => new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously));
        driver.Send(new AskCommit(task.Id, task.Stage, task.StageAttempt, task.Partition));
        answer.Task.Wait(TaskContext.Current?.CancellationToken ?? CancellationToken.None);
        return answer.Task.Result;
    }

    public byte[][] Meet(TaskDescription task, int meeting, MeetingKind kind, byte[] message, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var answer = _meetings.GetOrAdd((task.Id, meeting), static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        driver.Send(new AskMeeting(task.Id, task.Stage, task.StageAttempt, task.Partition, meeting, kind, message, timeout));
        answer.Task.Wait(cancellationToken);
        var given = answer.Task.Result;
        return given.Messages ?? throw new BarrierException($"{kind}() in task {task.Partition} of stage {task.Stage} did not come to an end: {given.Failure}.");
    }

    /// <summary>Hands an answer to who waits for it.</summary>
    public void Learn(CommitAnswer answer)
    {
        if (_commits.TryRemove(answer.Task, out var asked)) asked.TrySetResult(answer.Granted);
    }

    /// <summary>Hands an answer to who waits for it.</summary>
    public void Learn(MeetingAnswer answer)
    {
        if (_meetings.TryRemove((answer.Task, answer.Meeting), out var waits)) waits.TrySetResult(answer);
    }

    /// <summary>Forgets what an attempt asked that is over.</summary>
    public void Forget(TaskId task) => _commits.TryRemove(task, out _);
}
