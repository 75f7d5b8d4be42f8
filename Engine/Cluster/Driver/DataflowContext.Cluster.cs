using Dataflow.Cluster;

namespace Dataflow;

// Running on a cluster.
public sealed partial class DataflowContext
{
    private readonly DriverNode? _node;

    /// <summary>What the driver has on the wire; null in local mode.</summary>
    internal DriverNode? Node => _node;

    /// <summary>Runs jobs on workers that dial in: listens at an address, and gives each worker that joins tasks at once.</summary>
    /// <remarks>
    /// Everything else of the program stays as it is with <see cref="Local(int)"/>. Lambdas and what they captured travel to the workers by
    /// value; what can't travel is refused with the way to it. Relative paths are resolved here, in the driver, and must be seen by all workers.
    /// </remarks>
    /// <param name="url">Such as <c>http://127.0.0.1:7077</c>, or <c>http://0.0.0.0:7077</c> for all addresses of the machine, which takes a token.
    /// Port 0 takes a free one.</param>
    /// <param name="options">How workers are let in, and the options of the application.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="ArgumentException"><paramref name="url"/> is no address to listen on.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    /// <exception cref="ClusterException">The address is taken; or it is not loopback, and there is no token.</exception>
    public static Task<DataflowContext> ListenAsync(string url, ClusterOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(url);
        return OnClusterAsync(options, (chosen, find) => DriverNode.ListenAsync(url, chosen, find, cancellationToken));
    }

    /// <summary>Runs jobs on a standing cluster, whose coordinator (<c>dataflow coordinator</c>) and workers many programs share.</summary>
    /// <remarks>
    /// As <see cref="ListenAsync"/>, but workers join the coordinator. The program listens too, on a free port of the address by which it
    /// reaches the coordinator, for its executors dial it. It goes on with the executors that it has while the coordinator is away.
    /// </remarks>
    /// <param name="url">Such as <c>dataflow://host:7077</c>.</param>
    /// <param name="options">How the cluster is joined, and the options of the application.</param>
    /// <param name="cancellationToken">Gives up joining.</param>
    /// <exception cref="ArgumentException"><paramref name="url"/> is no address of a cluster.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option makes no sense.</exception>
    /// <exception cref="ClusterException">The coordinator is not there, runs another version of Dataflow, or has another token.</exception>
    public static Task<DataflowContext> ConnectAsync(string url, ClusterOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(url);
        return OnClusterAsync(options, (chosen, find) => DriverNode.ConnectAsync(url, chosen, find, cancellationToken));
    }

    /// <summary>Runs jobs where the environment says: on the cluster whose address is in the variable <c>DATAFLOW_CLUSTER</c>, with the token in
    /// <c>DATAFLOW_TOKEN</c>, or else on threads of this process. <c>dataflow submit</c> sets both.</summary>
    /// <param name="options">How a cluster is joined, and the options of the application, which hold in both cases.</param>
    /// <param name="cancellationToken">Gives up joining.</param>
    /// <exception cref="ArgumentException">The variable holds no address of a cluster.</exception>
    /// <exception cref="ClusterException">The coordinator is not there, runs another version of Dataflow, or has another token.</exception>
    public static Task<DataflowContext> FromEnvironmentAsync(ClusterOptions? options = null, CancellationToken cancellationToken = default) =>
        Environment.GetEnvironmentVariable(ClusterAddress.Variable) is { Length: > 0 } url
            ? ConnectAsync(url, options, cancellationToken)
            : Task.FromResult(Local((options ?? ClusterOptions.Default).Application));

    /// <summary>The workers of a context made by <see cref="ListenAsync"/> or <see cref="ConnectAsync"/>.</summary>
    /// <exception cref="InvalidOperationException">The context runs in this process alone.</exception>
    public ClusterView Cluster => _node?.View
        ?? throw new InvalidOperationException("This context runs jobs in its own process; one made with DataflowContext.ListenAsync or ConnectAsync has workers.");

    private static async Task<DataflowContext> OnClusterAsync(ClusterOptions? options, Func<ClusterOptions, Func<int, Accumulator?>, Task<DriverNode>> start)
    {
        options ??= ClusterOptions.Default;
        options.Check();
        DataflowContext? context = null;
        var node = await start(options, id => context?.FindAccumulator(id)).ConfigureAwait(false);
        context = new DataflowContext(options.Application, _ => node.Backend, node);
        _ = context.StopWhenDismissedAsync(node);
        return context;
    }

    // Jobs that run fail with the reason, and those that come later too.
    private async Task StopWhenDismissedAsync(DriverNode node)
    {
        var reason = await node.Dismissed.ConfigureAwait(false);
        await _loop.StopAsync($"the program was ended by its cluster: {reason}").ConfigureAwait(false);
    }
}
