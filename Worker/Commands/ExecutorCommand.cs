using Dataflow.Cluster;

namespace Dataflow.Worker.Commands;

/// <summary>What a worker starts for each application; it tells the process who it is through its standard input.</summary>
internal static class ExecutorCommand
{
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync()
    {
        try
        {
            return await ExecutorEntry.RunAsync();
        }
        catch (ClusterException error)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }
    }
}
