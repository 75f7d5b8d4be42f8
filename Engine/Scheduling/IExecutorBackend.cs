using Dataflow.Tasks;

namespace Dataflow.Scheduling;

/// <summary>Where tasks run: threads of this process, or executors of a cluster. Called from the scheduler's mailbox, and never waits.</summary>
/// <remarks>Executors and slots are made known by events: <see cref="ExecutorAdded"/>, <see cref="TaskEnded"/>, <see cref="ExecutorLost"/>, <see cref="WorkerLost"/>.</remarks>
internal interface IExecutorBackend : IDisposable
{
    /// <summary>Whether it matters on which executor a task runs.</summary>
    bool HasPlaces { get; }

    /// <summary>Why there may be no executor, and how to come by one, as errors say it; null where nothing can be said.</summary>
    (string Why, string Next)? OnNoExecutors => null;

    /// <summary>Begins to report.</summary>
    /// <param name="report">Takes events, from any thread. The second argument says that the calling thread has nothing better to do than
    /// to carry on with them itself.</param>
    void Start(Action<SchedulerEvent, bool> report);

    /// <summary>Makes the code of a stage ready to be launched. Called for each stage of a job before any task of the job runs.</summary>
    /// <param name="binary">The code.</param>
    /// <param name="action">The action that was called, for errors.</param>
    /// <exception cref="ClosureException">Something in it can't travel to an executor: then nothing of the job runs.</exception>
    void Prepare(StageBinary binary, CallSite? action);

    /// <summary>Runs tasks on an executor. Each is answered by <see cref="TaskEnded"/>, unless the executor is lost.</summary>
    /// <param name="executor">One that was reported, with as many free slots.</param>
    /// <param name="tasks">The tasks; the list is used again after the call.</param>
    void Launch(ExecutorId executor, IReadOnlyList<StageTask> tasks);

    /// <summary>Asks an attempt to end. One that has ended is ignored.</summary>
    void Kill(ExecutorId executor, TaskId task, string reason);

    /// <summary>An executor that was reported to be draining runs no task any more, and gets none: it may be let go.</summary>
    void Drained(ExecutorId executor) { }

    /// <summary>Has an executor take over map outputs of a worker that leaves. Answered by <see cref="TakenOver"/>, unless the executor is lost.</summary>
    void HandOver(HandOver wanted) { }

    /// <summary>Nothing more is taken of a worker that was reported to be draining: it may leave.</summary>
    void HandedOver(WorkerId worker) { }

    /// <summary>A job was submitted.</summary>
    void Submitted() { }

    /// <summary>Finds out whether a worker that did not answer a task is gone, and reports it if so.</summary>
    void CheckWorker(WorkerId worker);

    /// <summary>Drops the cached partitions of an Rdd on all executors, also those that tasks of stages submitted before an epoch would still keep.</summary>
    void DropCached(int rdd, long epoch);

    /// <summary>Has an executor keep a copy of what another one has; answered by <see cref="TakenOver"/> if it has a number. Nothing happens where there is one only.</summary>
    void CopyCached(CopyCached copy) { }

    /// <summary>Drops the outputs of a shuffle on all workers.</summary>
    void DropShuffle(ShuffleId shuffle);

    /// <summary>Drops the objects of a name on all executors; those in use go when their leases end.</summary>
    void DropState(string name);
}
