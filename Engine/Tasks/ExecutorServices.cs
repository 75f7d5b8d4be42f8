using Dataflow.Scheduling;

namespace Dataflow.Tasks;

/// <summary>What one executor offers to all tasks that run on it. In local mode this process is the one executor.</summary>
public sealed class ExecutorServices
{
    internal ExecutorServices(ExecutorId executor, WorkerId worker, DataflowOptions options)
    {
        Executor = executor;
        Worker = worker;
        Options = options;
    }

    /// <summary>This executor.</summary>
    public ExecutorId Executor { get; }

    /// <summary>The worker that started it and serves its map outputs.</summary>
    public WorkerId Worker { get; }

    /// <summary>The options of the application.</summary>
    public DataflowOptions Options { get; }
}
