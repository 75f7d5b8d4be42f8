using Dataflow.Tasks;

namespace Dataflow.Scheduling;

/// <summary>
/// Lets the tasks of a barrier stage meet: whoever arrives waits until all have, and then each gets what all brought. A pure machine in the
/// <see cref="DagScheduler"/>: arrivals and the time go in, answers come out.
/// </summary>
/// <remarks>
/// A meeting that can't take place any more (a task ended or called something else, or the time is up) is answered to all who wait, and so is every
/// later one of the same attempt at the stage. The last meeting is remembered, so that whoever did not hear the answer may ask again.
/// </remarks>
/// <param name="actions">Where answers go.</param>
internal sealed class BarrierCoordinator(Queue<SchedulerAction> actions)
{
    private readonly Dictionary<StageId, Party> _parties = [];

    /// <summary>When the first meeting is given up; null if nobody waits.</summary>
    public TimeSpan? NextWake
    {
        get
        {
            TimeSpan? first = null;
            foreach (var party in _parties.Values)
            {
                if (party.Deadline is { } deadline && (first is null || deadline < first)) first = deadline;
            }
            return first;
        }
    }

    /// <summary>An attempt at a stage begins; nobody has arrived.</summary>
    public void Begin(StageId stage, int attempt, int tasks) => _parties[stage] = new Party(stage, attempt, tasks);

    /// <summary>The attempt at a stage is over. Whoever waits is told why.</summary>
    public void End(StageId stage, string why)
    {
        if (_parties.Remove(stage, out var party)) Cancel(party, why);
    }

    /// <summary>A task arrived.</summary>
    public void Arrive(BarrierArrived arrival, TimeSpan now)
    {
        if (!_parties.TryGetValue(arrival.Stage, out var party) || party.Attempt != arrival.StageAttempt)
        {
            actions.Enqueue(new AnswerBarrier(arrival, null, "this attempt at the stage is over"));
            return;
        }
        if (party.Broken is null && arrival.Meeting == party.Meeting - 1)
        {
            actions.Enqueue(new AnswerBarrier(arrival, party.LastMessages, null));
            return;
        }

        // Asked again, by one that has lost its connection, it takes its own place.
        if (party.Waiting[arrival.Task] is null) party.Count++;
        party.Waiting[arrival.Task] = arrival;
        if (party.Deadline is null || now + arrival.Timeout < party.Deadline) party.Deadline = now + arrival.Timeout;

        party.Broken ??= Mismatch(party, arrival);
        if (party.Broken is { } broken)
            Cancel(party, broken);
        else if (party.Count == party.Waiting.Length)
            Meet(party);
    }

    /// <summary>A task ended well: it will not come again.</summary>
    public void Ended(StageId stage, int task)
    {
        if (!_parties.TryGetValue(stage, out var party)) return;
        party.HasEnded[task] = true;
        if (party.Count > 0) Break(party, EndedEarly(party));
    }

    /// <summary>Gives up the meetings for which the time is over.</summary>
    public void OnTimePassed(TimeSpan now)
    {
        foreach (var party in _parties.Values)
        {
            if (party.Deadline <= now) Break(party, TimeIsUp(party));
        }
    }

    private void Meet(Party party)
    {
        var messages = Array.ConvertAll(party.Waiting, arrival => arrival!.Message);
        foreach (var arrival in party.Waiting) actions.Enqueue(new AnswerBarrier(arrival!, messages, null));
        party.LastMessages = messages;
        party.Meeting++;
        party.Clear();
    }

    private void Break(Party party, string why)
    {
        party.Broken ??= why;
        Cancel(party, party.Broken);
    }

    private void Cancel(Party party, string why)
    {
        foreach (var arrival in party.Waiting)
        {
            if (arrival is not null) actions.Enqueue(new AnswerBarrier(arrival, null, why));
        }
        party.Clear();
    }

    private static string? Mismatch(Party party, BarrierArrived arrival)
    {
        if (Array.IndexOf(party.HasEnded, true) >= 0) return EndedEarly(party);
        foreach (var other in party.Waiting)
        {
            if (other is null || (other.Kind == arrival.Kind && other.Meeting == arrival.Meeting)) continue;
            return $"task {other.Task} called {other.Kind}() as its {Ordinal(other.Meeting)} meeting, "
                + $"and task {arrival.Task} called {arrival.Kind}() as its {Ordinal(arrival.Meeting)}. All tasks of a barrier stage must make the same calls in the same order";
        }
        return arrival.Meeting == party.Meeting
            ? null
            : $"task {arrival.Task} asked for its {Ordinal(arrival.Meeting)} meeting, but the next one of stage {party.Stage} is the {Ordinal(party.Meeting)}";
    }

    private static string EndedEarly(Party party)
    {
        var (waiting, ended) = (Tasks(party, task => party.Waiting[task] is not null), Tasks(party, task => party.HasEnded[task]));
        return $"{ended} of stage {party.Stage} ended without a {Ordinal(party.Meeting)} meeting, for which {waiting} waited. "
            + "All tasks of a barrier stage must make the same calls in the same order";
    }

    private static string TimeIsUp(Party party)
    {
        var (waiting, missing) = (Tasks(party, task => party.Waiting[task] is not null), Tasks(party, task => party.Waiting[task] is null));
        var patience = party.Waiting.First(arrival => arrival is not null)!.Timeout;
        var meeting = $"the {Ordinal(party.Meeting)} meeting";
        return $"{missing} of stage {party.Stage} did not come to {meeting}, for which {waiting} waited {patience.TotalSeconds:0.###} s. "
            + "If they need longer, call it with a longer timeout or raise DataflowOptions.BarrierTimeout";
    }

    private static string Tasks(Party party, Predicate<int> which)
    {
        const int most = 10;
        int[] tasks = [.. Enumerable.Range(0, party.Waiting.Length).Where(task => which(task))];
        if (tasks.Length == 1) return $"task {tasks[0]}";
        var rest = tasks.Length > most ? $" and {tasks.Length - most} more" : "";
        return $"tasks {string.Join(", ", tasks.Take(most))}{rest}";
    }

    private static string Ordinal(int meeting) => (meeting + 1) switch
    {
        1 => "first",
        2 => "second",
        3 => "third",
        var n when n % 10 == 1 && n % 100 != 11 => $"{n}st",
        var n when n % 10 == 2 && n % 100 != 12 => $"{n}nd",
        var n when n % 10 == 3 && n % 100 != 13 => $"{n}rd",
        var n => $"{n}th",
    };

    /// <summary>One attempt at a stage.</summary>
    private sealed class Party(StageId stage, int attempt, int tasks)
    {
        public StageId Stage => stage;

        public int Attempt => attempt;

        /// <summary>Number of the next meeting, from 0.</summary>
        public int Meeting { get; set; }

        public BarrierArrived?[] Waiting { get; } = new BarrierArrived?[tasks];

        public int Count { get; set; }

        public TimeSpan? Deadline { get; set; }

        public bool[] HasEnded { get; } = new bool[tasks];

        /// <summary>Why no meeting of this attempt takes place any more.</summary>
        public string? Broken { get; set; }

        public byte[][] LastMessages { get; set; } = [];

        public void Clear()
        {
            Array.Clear(Waiting);
            Count = 0;
            Deadline = null;
        }
    }
}
