using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.TestKit;

/// <summary>A task of no job, for what only needs to know whose memory it takes. Disposing ends it, as the end of a task does.</summary>
public sealed class LoneTask : IDisposable
{
    // One for all tests, as in a process: tasks take from it only what they ask for.
    private static readonly ExecutorServices Shared = new(default, default, DataflowOptions.Default);

    private readonly ExecutorServices? _own;

    /// <summary>A task that shares the memory of all such.</summary>
    public LoneTask() => Context = New(Shared);

    /// <summary>A task with a budget of its own.</summary>
    /// <param name="options">What bounds it.</param>
    public LoneTask(DataflowOptions options)
    {
        _own = new ExecutorServices(default, default, options);
        Context = New(_own);
    }

    /// <summary>The task.</summary>
    public TaskContext Context { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Context.Complete();
        _own?.Dispose();
    }

    private static TaskContext New(ExecutorServices services) =>
        new(new TaskDescription(new TaskId(0), new JobId(0), new StageId(0), 0, 0, 0), services);
}
