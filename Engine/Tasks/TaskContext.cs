using System.Globalization;
using System.Runtime.ExceptionServices;
using Dataflow.Scheduling;

namespace Dataflow.Tasks;

/// <summary>What a running task may ask: who it is, whether it was cancelled, where its metrics and the executor's services are.</summary>
/// <remarks>One per attempt; used by the attempt's own thread, except for <see cref="Cancel"/>.</remarks>
public sealed class TaskContext : IDisposable
{
    // Flows to the threads that tasks start, set once for each thread that runs tasks.
    private static readonly AsyncLocal<bool> StartedByTask = new();

    [ThreadStatic] private static TaskContext? _current;

    private readonly CancellationTokenSource _cancellation = new();
    private List<Action<TaskContext>>? _completions;
    private ExceptionDispatchInfo? _lostInput;
    private WorkMemory? _work;
    private BarrierTaskContext? _barrier;

    internal TaskContext(TaskDescription description, ExecutorServices services)
    {
        Description = description;
        Services = services;
        CancellationToken = _cancellation.Token;
    }

    /// <summary>The task that runs on this thread, or null in the driver's own code.</summary>
    public static TaskContext? Current => _current;

    /// <summary>Whether this thread runs tasks, or was started by code of a task.</summary>
    internal static bool IsWithinTask => _current is not null || StartedByTask.Value;

    /// <summary>Which attempt at which task of which stage this is.</summary>
    public TaskDescription Description { get; }

    /// <summary>Index of the partition that the task computes.</summary>
    public int PartitionIndex => Description.Partition;

    /// <summary>0 for the first attempt at this task, 1 for its first retry.</summary>
    public int Attempt => Description.Attempt;

    /// <summary>Addresses of the named resources that are this task's while it runs, by name: <c>Resources["gpu"]</c>. Empty unless
    /// <c>WithResources</c> asked for some.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Resources => Description.Resources;

    /// <summary>Signalled when the job, the stage or this attempt is cancelled.</summary>
    public CancellationToken CancellationToken { get; }

    /// <summary>What the task has read, written, spilled; sent to the driver when it ends.</summary>
    public TaskMetrics Metrics { get; } = new();

    /// <summary>What the executor offers to all its tasks: memory, blocks, shuffles, state, temp files.</summary>
    public ExecutorServices Services { get; }

    /// <summary>True when this attempt must run plain operators, so that a stack trace names the user's frames.</summary>
    /// <remarks>Set for the retry of a task that threw, alone or with its gang.</remarks>
    internal bool PlainOperators => Description.Attempt > 0 || (Description.Gang is not null && Description.StageAttempt > 0);

    /// <summary>The other tasks of its stage, if it is a barrier stage.</summary>
    internal BarrierTaskContext? Barrier => _barrier ??= Description.Gang is { } gang ? new BarrierTaskContext(this, gang) : null;

    /// <summary>What the task took from a file last; null if it reads none, or read the last one to its end.</summary>
    internal Files.ReadPosition? LastRead { get; set; }

    /// <summary>What accumulators gathered in this attempt; counted by the driver only if the attempt succeeds.</summary>
    internal Shared.AccumulatorUpdates Accumulators { get; } = new();

    /// <summary>Says that this thread runs tasks and nothing else, until it ends.</summary>
    internal static void BecomeTaskThread() => StartedByTask.Value = true;

    /// <summary>Ends the task with an <see cref="OperationCanceledException"/> if it was cancelled. Costs a field read.</summary>
    public void ThrowIfCancelled() => CancellationToken.ThrowIfCancellationRequested();

    /// <summary>Waits for what another task or the driver does, unless the task is cancelled first.</summary>
    internal void WaitFor(Task task)
    {
        if (Services.Waits is { } waits)
            waits(task, CancellationToken);
        else
            task.Wait(CancellationToken);
    }

    /// <summary>Notes that rows which the task was to read could not be had. It fails even if code of the user catches the error: the rows would be
    /// missing from its result, and nobody would know.</summary>
    /// <returns>The same error, to throw.</returns>
    internal TError LostInput<TError>(TError error)
        where TError : Exception
    {
        _lostInput ??= ExceptionDispatchInfo.Capture(error);
        return error;
    }

    /// <summary>Throws what <see cref="LostInput"/> was given; asked before anything the task made counts.</summary>
    internal void ThrowIfInputLost() => Volatile.Read(ref _lostInput)?.Throw();

    /// <summary>Runs an action when the attempt ends, however it ends; the last registered runs first.</summary>
    /// <param name="action">Must not throw: the task would count as failed.</param>
    public void OnCompletion(Action<TaskContext> action) => (_completions ??= []).Add(action);

    /// <summary>Whether it threw: what completion actions may want to know.</summary>
    internal bool HasFailed { get; set; }

    /// <summary>Asks the task to end at its next chunk.</summary>
    /// <remarks>What user code registered on the token runs on the thread pool: it must not hold up the caller.</remarks>
    internal void Cancel()
    {
        try
        {
            _ = _cancellation.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The task ended in the same moment; nothing is left to cancel.
        }
    }

    /// <summary>Reserves memory that the task works with; disposing the result gives it back.</summary>
    internal IDisposable ReserveWork(long bytes)
    {
        _work ??= new WorkMemory(this);
        _work.Budget.Reserve(bytes, _work, CancellationToken);
        return new WorkLease(_work, bytes);
    }

    /// <summary>Makes it the task of this thread, which takes on the culture of the application.</summary>
    internal IDisposable Enter()
    {
        if (!ReferenceEquals(CultureInfo.CurrentCulture, Services.Culture)) CultureInfo.CurrentCulture = Services.Culture;
        var outer = _current;
        _current = this;
        return new Leave(outer);
    }

    /// <summary>Runs the completion actions, all of them, even if one throws.</summary>
    /// <returns>The first that was thrown, or null.</returns>
    internal Exception? Complete()
    {
        Exception? first = null;
        while (_completions is { Count: > 0 } actions)
        {
            var action = actions[^1];
            actions.RemoveAt(actions.Count - 1);
            try
            {
                action(this);
            }
            catch (Exception error)
            {
                first ??= error;
            }
        }
        return first;
    }

    /// <inheritdoc/>
    public void Dispose() => _cancellation.Dispose();

    private sealed class WorkMemory : Storage.MemoryConsumer
    {
        public WorkMemory(TaskContext context)
            : base(context.Services.Memory, $"work of {context.Description.Id}", Storage.MemoryPriority.Work, Storage.MemoryKind.Native,
                context.Services.Memory.ForTask(context)) => context.OnCompletion(_ => Dispose());

        // What a task reads is small and given back within a part; it can't be taken from it.
        protected internal override long OnRevoke(long bytes) => 0;
    }

    private sealed class WorkLease(WorkMemory work, long bytes) : IDisposable
    {
        private long _bytes = bytes;

        public void Dispose()
        {
            var left = Interlocked.Exchange(ref _bytes, 0);
            if (left > 0) work.Budget.Release(left, work);
        }
    }

    private sealed class Leave(TaskContext? outer) : IDisposable
    {
        public void Dispose() => _current = outer;
    }
}

/// <summary>Identifies one attempt at one task.</summary>
/// <param name="Id">The attempt's own id.</param>
/// <param name="Job">The job that first needed the stage.</param>
/// <param name="Stage">The stage.</param>
/// <param name="StageAttempt">0 for the first run of the stage, 1 after its first resubmission.</param>
/// <param name="Partition">Index of the partition to compute.</param>
/// <param name="Attempt">0 for the first attempt at this task within this stage attempt.</param>
/// <param name="Speculative">True for a second copy of a slow task.</param>
public sealed record TaskDescription(
    TaskId Id, JobId Job, StageId Stage, int StageAttempt, int Partition, int Attempt, bool Speculative = false)
{
    private static readonly Dictionary<string, IReadOnlyList<string>> NoResources = [];

    /// <summary>Slots that the task takes; see <c>WithResources</c>.</summary>
    public int Cpus { get; init; } = 1;

    /// <summary>Addresses of the named resources that are the task's while it runs, by name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Resources { get; init; } = NoResources;

    /// <summary>The tasks that started with it, if it is one of a barrier stage.</summary>
    internal Gang? Gang { get; init; }

    /// <summary>How far the driver had come when the task's stage was submitted: what was dropped later is not kept by this task any more.</summary>
    internal long Epoch { get; init; }

    /// <summary>Executors that keep what the task begins with, if it was sent to another one.</summary>
    internal IReadOnlyList<ExecutorId> CachedAt { get; init; } = [];

    /// <summary>Where their blocks are fetched, on the executor.</summary>
    internal IReadOnlyList<string> CachePeers { get; init; } = [];
}
