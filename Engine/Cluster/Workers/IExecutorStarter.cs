namespace Dataflow.Cluster;

/// <summary>How a worker makes executors: as processes or, in a simulation, without any.</summary>
internal interface IExecutorStarter
{
    /// <summary>Stages the application's files and starts an executor.</summary>
    /// <param name="launch">What the coordinator asked for.</param>
    /// <param name="secret">The application's secret.</param>
    /// <param name="sources">Knows who has the files.</param>
    Task<IStartedExecutor> StartAsync(LaunchExecutor launch, ClusterToken secret, FileSources sources);

    /// <summary>Removes what is kept for an application, which has ended. Its executors have been asked to end.</summary>
    void Forget(string application);
}

/// <summary>An executor that a worker started.</summary>
internal interface IStartedExecutor
{
    /// <summary>Its number in the system.</summary>
    int ProcessId { get; }

    /// <summary>Completes, and never faults, with the exit code and what it last wrote.</summary>
    Task<(int Code, string Reason)> Exited { get; }

    /// <summary>Asks it to end.</summary>
    void End();

    /// <summary>Ends it at once.</summary>
    void Kill();
}
