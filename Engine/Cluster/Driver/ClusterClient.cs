namespace Dataflow.Cluster;

/// <summary>Asks a coordinator about its cluster: one of its own, or that of a driver program that listens.</summary>
public static class ClusterClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Which workers and programs there are.</summary>
    /// <param name="url">Such as <c>dataflow://host:7077</c>.</param>
    /// <param name="token">The cluster's token; null takes the variable <c>DATAFLOW_TOKEN</c>, or none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException"><paramref name="url"/> is no address of a cluster.</exception>
    /// <exception cref="ClusterException">Nobody answers there, or the token is another one.</exception>
    public static async Task<ClusterStatus> StatusAsync(string url, string? token = null, CancellationToken cancellationToken = default)
    {
        var answer = (StatusAnswer)await AskAsync(url, token, new AskStatus(), cancellationToken).ConfigureAwait(false);
        return new ClusterStatus(
            answer.Version,
            [
                .. answer.Workers.Select(worker => new ClusterStatusWorker(
                    worker.Name, worker.Host, worker.Cores, worker.FreeCores, worker.MemoryBytes, worker.FreeMemoryBytes, worker.Draining)
                {
                    Resources = [.. worker.Resources.Select(each => new ClusterStatusResource(each.Name, each.Count, each.Free))],
                }),
            ],
            [.. answer.Applications.Select(each => new ClusterStatusApplication(each.Application, each.Title, each.DriverUrl, each.Executors, each.Cores)
            {
                RunningTasks = each.Load?.RunningTasks ?? 0,
                MemoryBytes = each.Load?.MemoryBytes ?? 0,
                MemoryLimitBytes = each.Load?.MemoryLimitBytes ?? 0,
                CachedBytes = each.Load?.CachedBytes ?? 0,
            })]);
    }

    /// <summary>Ends a program: its jobs fail with the reason, its executors end.</summary>
    /// <param name="url">Such as <c>dataflow://host:7077</c>.</param>
    /// <param name="application">Its name, as <see cref="StatusAsync"/> lists it.</param>
    /// <param name="reason">For people.</param>
    /// <param name="token">The cluster's token; null takes the variable <c>DATAFLOW_TOKEN</c>, or none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClusterException">There is no such program, nobody answers, or the token is another one.</exception>
    public static async Task KillAsync(string url, string application, string reason, string? token = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(application);
        await AskAsync(url, token, new KillApplication(application, reason), cancellationToken).ConfigureAwait(false);
    }

    private static async Task<ControlMessage> AskAsync(string url, string? token, ControlMessage question, CancellationToken cancellationToken)
    {
        var coordinator = ClusterAddress.ToJoin(url);
        var secret = (token is not null ? ClusterToken.Parse(token) : ClusterToken.FromEnvironment()) ?? ClusterToken.Open;
        var tls = TlsFiles.FromEnvironment()?.Load();
        if (tls is not null) coordinator = TlsFiles.Secured(coordinator);
        using var client = new NodeClient(new NodeOptions { Tls = tls });
        var link = await client.ConnectAsync(coordinator, ScopeName.Cluster, secret, cancellationToken).ConfigureAwait(false);
        await using var closing = link.ConfigureAwait(false);
        var answer = new Answer();
        link.Start(answer);
        link.Send(question);
        try
        {
            return await answer.Given.WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException error)
        {
            throw new ClusterException($"{coordinator} did not answer within {Patience.TotalSeconds:0} s.", error);
        }
    }

    private sealed class Answer : IControlHandler
    {
        private readonly TaskCompletionSource<ControlMessage> _given = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<ControlMessage> Given => _given.Task;

        public void Received(IReadOnlyList<ControlMessage> messages)
        {
            if (messages[0] is Refused refused)
                _given.TrySetException(new ClusterException(refused.Reason));
            else
                _given.TrySetResult(messages[0]);
        }

        public void Ended(LinkEnd end) => _given.TrySetException(new ClusterException($"The coordinator ended the link: {end.Reason}"));
    }
}

/// <summary>How a cluster is.</summary>
/// <param name="Version">Version of its coordinator.</param>
/// <param name="Workers">Its workers, by name.</param>
/// <param name="Applications">The programs that share it, in the order they came.</param>
public sealed record ClusterStatus(string Version, IReadOnlyList<ClusterStatusWorker> Workers, IReadOnlyList<ClusterStatusApplication> Applications);

/// <summary>One worker of <see cref="ClusterStatus"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Host">Its machine.</param>
/// <param name="Cores">Cores that it offers.</param>
/// <param name="FreeCores">Cores that nobody has.</param>
/// <param name="MemoryBytes">Memory that it offers, in bytes.</param>
/// <param name="FreeMemoryBytes">Memory that nobody has, in bytes.</param>
/// <param name="Draining">Whether it is about to leave.</param>
public sealed record ClusterStatusWorker(string Name, string Host, int Cores, int FreeCores, long MemoryBytes, long FreeMemoryBytes, bool Draining)
{
    /// <summary>Its named resources, by name.</summary>
    public IReadOnlyList<ClusterStatusResource> Resources { get; init; } = [];
}

/// <summary>A named resource of a worker.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Count">How many addresses the worker offers.</param>
/// <param name="Free">How many of them nobody has.</param>
public sealed record ClusterStatusResource(string Name, int Count, int Free);

/// <summary>One program of <see cref="ClusterStatus"/>.</summary>
/// <param name="Name">Its name, unique in the cluster.</param>
/// <param name="Title">What it calls itself: <c>DataflowOptions.Name</c>.</param>
/// <param name="DriverUrl">Where its executors reach it.</param>
/// <param name="Executors">How many it has.</param>
/// <param name="Cores">Cores of its executors.</param>
public sealed record ClusterStatusApplication(string Name, string Title, string DriverUrl, int Executors, int Cores)
{
    /// <summary>Tasks that its executors ran when it last said so, about every two seconds.</summary>
    public int RunningTasks { get; init; }

    /// <summary>Memory of its executors that is reserved for data, in bytes.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Memory of its executors that may be reserved for data, in bytes.</summary>
    public long MemoryLimitBytes { get; init; }

    /// <summary>Cached partitions in its executors' memory, in bytes.</summary>
    public long CachedBytes { get; init; }
}
