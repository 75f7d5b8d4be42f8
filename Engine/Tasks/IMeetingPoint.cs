namespace Dataflow.Tasks;

/// <summary>Where the tasks of a barrier stage wait for each other: the scheduler of this process, or a link to the driver's.</summary>
internal interface IMeetingPoint
{
    /// <summary>Waits until all tasks of the stage have come to the same meeting.</summary>
    /// <param name="task">Who comes.</param>
    /// <param name="meeting">Number of the meeting, from 0; each task counts its own calls.</param>
    /// <param name="kind">What it called.</param>
    /// <param name="message">What it brings.</param>
    /// <param name="timeout">How long it waits.</param>
    /// <param name="cancellationToken">The task's.</param>
    /// <returns>What each task brought, by index.</returns>
    /// <exception cref="BarrierException">The meeting can't take place.</exception>
    /// <exception cref="OperationCanceledException">The task was cancelled while it waited.</exception>
    byte[][] Meet(TaskDescription task, int meeting, MeetingKind kind, byte[] message, TimeSpan timeout, CancellationToken cancellationToken);
}

/// <summary>What a task called. Named as in the program: errors show it.</summary>
internal enum MeetingKind
{
    Barrier,
    AllGather,

    /// <summary>Any of the calls of <see cref="Collectives.CollectiveGroup"/>: its tasks tell each other where they are.</summary>
    Collectives,
}
