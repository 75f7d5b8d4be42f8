namespace Dataflow.Cluster;

/// <summary>Where the process of an executor begins. Started by a worker, never by hand.</summary>
public static class ExecutorEntry
{
    /// <summary>Serves one driver until it or the worker is gone.</summary>
    /// <returns>The exit code: 0 if the driver said goodbye.</returns>
    /// <exception cref="ClusterException">No worker said who this executor is, or the driver can't be reached.</exception>
    public static Task<int> RunAsync() => ExecutorProcess.RunAsync();
}
