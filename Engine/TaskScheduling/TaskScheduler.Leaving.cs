using Dataflow.Scheduling;

namespace Dataflow.TaskScheduling;

// Executors that are about to leave.
internal sealed partial class TaskScheduler
{
    // Whose tasks are not waited for for ever.
    private readonly List<(TimeSpan Until, ExecutorSlots Executor, string Reason)> _leaving = [];

    private void OnExecutorDraining(ExecutorDraining e, TimeSpan now)
    {
        if (!_executors.TryGetValue(e.Executor, out var executor)) return;
        if (e.Grace is { } grace) _leaving.Add((now + grace, executor, e.Reason));
        if (executor.IsDraining) return;
        executor.Close();

        // Tasks that preferred to wait for it, or that only it could run, look for others.
        OfferAll();
        LookForLacks(now);
        TellIfDrained(executor);
    }

    private void TellIfDrained(ExecutorSlots executor)
    {
        if (!executor.IsDraining || !executor.IsIdle) return;
        _leaving.RemoveAll(each => each.Executor == executor);
        _actions.Enqueue(new ExecutorDrained(executor.Id));
    }

    /// <summary>Ends the tasks of executors that have waited for them long enough.</summary>
    private void EndLeaving(TimeSpan now)
    {
        for (var i = _leaving.Count - 1; i >= 0; i--)
        {
            var (until, executor, reason) = _leaving[i];
            if (until > now) continue;
            _leaving.RemoveAt(i);
            foreach (var attempt in _attempts.Values)
            {
                if (attempt.Executor == executor) Kill(attempt, $"its executor is given back: {reason}");
            }
        }
    }
}
