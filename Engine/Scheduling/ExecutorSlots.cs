namespace Dataflow.Scheduling;

/// <summary>An executor as the task scheduler sees it: where it is, and how many of its slots are free.</summary>
internal sealed class ExecutorSlots(ExecutorId id, WorkerId worker, string host, int slots)
{
    public ExecutorId Id { get; } = id;

    public WorkerId Worker { get; } = worker;

    public string Host { get; } = host;

    public int Free { get; set; } = slots;

    /// <summary>Whether it is in the list of executors to be offered next.</summary>
    public bool IsOffered { get; set; }
}
