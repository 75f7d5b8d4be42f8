using Dataflow.Scheduling;

namespace Dataflow.Cluster;

/// <summary>What a driver asks of workers beside the links of their executors: whether they are there, and to remove what nobody reads.</summary>
internal interface IWorkerCalls
{
    /// <summary>Asks whether a server is there.</summary>
    /// <param name="server">The server.</param>
    /// <param name="take">Takes whether it answered; called once, on any thread.</param>
    void Check(Uri server, Action<bool> take);

    /// <summary>Has a worker remove the outputs of a shuffle. One that does not answer removes them with the application.</summary>
    void Drop(Uri server, ShuffleId shuffle);
}

/// <summary>The same by requests to the workers' ports.</summary>
/// <param name="client">The connections.</param>
/// <param name="scope">The application.</param>
/// <param name="secret">Its secret.</param>
internal sealed class WorkerCalls(NodeClient client, string scope, ClusterToken secret) : IWorkerCalls
{
    // A worker that lives answers in a millisecond; one whose machine is gone never does.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    // Asked for no blocks at all. async void: a mistake of ours in what takes the answer ends the process, and does not vanish.
    public async void Check(Uri server, Action<bool> take) => take(await SendAsync(server, HttpMethod.Post, "/blocks").ConfigureAwait(false));

    public async void Drop(Uri server, ShuffleId shuffle) =>
        await SendAsync(server, HttpMethod.Delete, $"/{BlockName.Shuffle(shuffle, 0, new TaskId(0), 0, 1)}").ConfigureAwait(false);

    private async Task<bool> SendAsync(Uri server, HttpMethod method, string path)
    {
        using var patience = new CancellationTokenSource(Patience, client.Options.Limits.Time);
        try
        {
            using var response = await client.SendAsync(new BlockSource(server, scope, secret), method, path, [], patience.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException or ClusterException or ObjectDisposedException)
        {
            return false;
        }
    }
}
