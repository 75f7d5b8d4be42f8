namespace Dataflow.Scheduling;

/// <summary>How much there is to do at a moment, and on whom.</summary>
/// <param name="Now">The scheduler's time.</param>
/// <param name="HasJobs">Whether a job is under way; stages of it may come that do not wait yet.</param>
/// <param name="Waiting">Tasks that wait for a slot.</param>
/// <param name="Executors">Executors that take tasks; those that are about to leave are not among them.</param>
internal sealed record SchedulerLoad(TimeSpan Now, bool HasJobs, IReadOnlyList<WaitingTasks> Waiting, IReadOnlyList<ExecutorLoad> Executors);

/// <summary>Tasks of one kind that wait.</summary>
/// <param name="Count">How many.</param>
/// <param name="Cpus">Slots that each takes.</param>
/// <param name="Fit">How many of them the best of the executors could run at once; 0 if none could run any.</param>
internal readonly record struct WaitingTasks(int Count, int Cpus, int Fit);

/// <summary>One executor.</summary>
/// <param name="Executor">Which.</param>
/// <param name="Slots">Slots that it has.</param>
/// <param name="Busy">Those that tasks hold.</param>
/// <param name="LastBusy">When its last task ended, or it came.</param>
/// <param name="KeepsBlocks">Whether it keeps cached blocks.</param>
internal readonly record struct ExecutorLoad(ExecutorId Executor, int Slots, int Busy, TimeSpan LastBusy, bool KeepsBlocks);
