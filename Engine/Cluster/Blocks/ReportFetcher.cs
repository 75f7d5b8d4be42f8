using Dataflow.Scheduling;

namespace Dataflow.Cluster;

/// <summary>Fetches reports of tasks that are too large for a message from the executors that wrote them.</summary>
/// <param name="reader">Fetches blocks.</param>
/// <param name="scope">The application.</param>
/// <param name="secret">Its secret.</param>
internal sealed class ReportFetcher(RemoteBlockReader reader, string scope, ClusterToken secret)
{
    private readonly BytesInFlight _room = new();

    /// <summary>Begins to fetch one.</summary>
    /// <param name="server">The executor.</param>
    /// <param name="task">The attempt.</param>
    /// <param name="take">Takes the report, or null if it can't be had.</param>
    public async void Fetch(string server, TaskId task, Action<byte[]?> take)
    {
        byte[]? report = null;
        try
        {
            await foreach (var block in reader.FetchAsync(new BlockSource(new Uri(server), scope, secret), [BlockName.Result(task)], _room).ConfigureAwait(false))
            {
                using (block) report = block.Failure is null ? block.ToArray() : null;
            }
        }
        catch (ClusterException)
        {
            // As lost as its executor: the task is run again.
        }
        take(report);
    }
}
