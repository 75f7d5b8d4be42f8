using Dataflow.Diagnostics;
using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.TaskScheduling;

// Free slots, and who gets them.
internal sealed partial class TaskScheduler
{
    private readonly List<ExecutorSlots> _offered = [];
    private readonly Func<TaskSet, Serving> _serve;
    private bool _offerAll;

    // What the round of offers is at, so that serving needs no closure.
    private ExecutorSlots? _slot;
    private TimeSpan _now;
    private TaskSet? _served;
    private int _index;
    private bool _speculative;

    private void Offer(ExecutorSlots executor)
    {
        if (executor.IsOffered) return;
        executor.IsOffered = true;
        _offered.Add(executor);
    }

    // Something waits that did not: slots that were offered in vain before may have a use now.
    private void OfferAll() => _offerAll = true;

    private void Dequeue(TaskSet set)
    {
        _queue.Remove(set);

        // Slots may have been held back for it.
        if (set.IsDemanding) OfferAll();
    }

    /// <summary>Gives free slots to waiting tasks: one of each executor in turn, so that small stages spread.</summary>
    /// <remarks>Looks only at executors that have a slot free since the last time, unless more tasks wait. Constant time for each task launched.</remarks>
    public void LaunchTasks(TimeSpan now)
    {
        do
        {
            OfferRound(now);
        }
        while (_offerAll && !_queue.IsEmpty);
    }

    private void OfferRound(TimeSpan now)
    {
        if (_offerAll && !_queue.IsEmpty)
        {
            foreach (var executor in _executors.Values) Offer(executor);
        }
        _offerAll = false;
        if (_offered.Count == 0) return;

        if (_offered.Count > 1 && !_queue.IsEmpty) Rotate(_offered, _random.Next(_offered.Count));
        _now = now;
        for (var any = true; any && !_queue.IsEmpty;)
        {
            any = false;
            foreach (var executor in _offered)
            {
                if (executor.Free > 0 && !_queue.IsEmpty && LaunchOn(executor, now)) any = true;
            }
        }
        foreach (var executor in _offered) executor.IsOffered = false;
        _offered.Clear();
    }

    private static void Rotate(List<ExecutorSlots> executors, int by)
    {
        if (by == 0) return;
        executors.Reverse(0, by);
        executors.Reverse(by, executors.Count - by);
        executors.Reverse();
    }

    private bool LaunchOn(ExecutorSlots executor, TimeSpan now)
    {
        _slot = executor;
        if (!_queue.ServeFirst(_serve)) return false;
        var set = _served!;
        if (set.Request.IsBarrier)
        {
            LaunchGang(set, now);
            return true;
        }
        Launch(set, _index, executor, _speculative, null, now);
        if (!set.IsLaunchable) Dequeue(set);
        return true;
    }

    private void Launch(TaskSet set, int index, ExecutorSlots executor, bool speculative, Gang? gang, TimeSpan now)
    {
        var request = set.Request;
        var partition = request.PartitionOf(request.Tasks[index]);
        var description = new TaskDescription(
            new TaskId(_nextAttempt++), request.Job, request.Stage, request.Attempt, partition, set.AttemptsOf(index), speculative) { Gang = gang, Epoch = request.Epoch };
        if (request.Preferences?[index] is { IsOfState: false, Executors: { Count: > 0 } cached } && !cached.Contains(executor.Id)) description = description with { CachedAt = cached };
        var shares = executor.Take(request.Needs);
        if (set.IsDemanding)
            description = description with { Cpus = request.Needs.Cpus, Resources = ResourceShare.Addresses(shares) };
        var attempt = new TaskAttempt(description, set, index, executor, shares, now);
        _attempts.Add(description.Id, attempt);
        set.Launched(attempt);
        _queue.Launched(set);

        var task = request.Binary.MakeTask(description, request.Binary.Rdd.PartitionArray[partition], request.Epoch);
        _actions.Enqueue(new LaunchTask(executor.Id, task));
        if (_news.IsOn) _news.Tell(new TaskStarted(description, executor.Id) { Time = _news.At(now) });
    }

    private Serving Serve(TaskSet set)
    {
        _served = set;
        if (set.IsDemanding)
        {
            // What is free is kept for a set that only has to wait for other tasks to end: those behind it would take it for ever.
            if (set.Request.IsBarrier) return PlanGang(set) ? WaitsForState(set) ? Serving.Passed : Serving.Taken : CanServe(set) ? Serving.Held : Serving.Passed;
            if (_slot!.Room(set.Request.Needs) == 0) return _slot.LacksOnlySlots(set.Request.Needs) ? Serving.Held : Serving.Passed;
        }
        _index = set.Take(_slot!, _now, out _speculative);
        return _index >= 0 ? Serving.Taken : Serving.Passed;
    }

    private TimeSpan? NextLook()
    {
        TimeSpan? first = null;
        foreach (var sets in _sets.Values)
        {
            foreach (var set in sets)
            {
                if (!set.IsStopped) first = Earlier(first, set.Speculation?.NextLook(set.Running));
            }
        }
        return first;
    }

    private void OnTimePassed(TimeSpan now)
    {
        if (_options.Speculation && _executors.Count > 1)
        {
            foreach (var set in _sets.Values.SelectMany(sets => sets).Where(set => !set.IsStopped))
            {
                set.Speculation?.Look(set.Running, now);
                if (set.IsLaunchable) _queue.Add(set);
            }
        }
        for (var i = _parked.Count - 1; i >= 0; i--)
        {
            var (until, set, index) = _parked[i];
            if (until > now) continue;
            _parked.RemoveAt(i);
            if (!set.IsStopped) Requeue(set, index);
        }

        EndLeaving(now);

        // Tasks that waited for a better place may take another one now.
        _queue.Age(now);
        OfferAll();
        LookForLacks(now);
    }
}
