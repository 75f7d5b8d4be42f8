using Dataflow.Diagnostics;

namespace Dataflow.Scheduling;

/// <summary>Turns what the machines do into announcements, and spares the work when nobody listens.</summary>
/// <param name="start">The wall clock when the machines' time was 0.</param>
/// <param name="actions">Where the announcements go.</param>
internal sealed class News(DateTimeOffset start, Queue<SchedulerAction> actions)
{
    /// <summary>Whether anyone listens. Ask before making an event.</summary>
    public bool IsOn { get; set; }

    /// <summary>The wall clock at a time of the machines.</summary>
    public DateTimeOffset At(TimeSpan now) => start + now;

    public void Tell(JobEvent news) => actions.Enqueue(new Announce(news));
}
