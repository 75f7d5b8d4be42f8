using Dataflow.Cluster.Tests;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Cluster;

/// <summary>Where a query's tasks run.</summary>
public enum Place
{
    /// <summary>Threads of this process.</summary>
    Threads,

    /// <summary>Threads of this process that get all they work with as bytes.</summary>
    Shipped,

    /// <summary>Two executors in processes of their own.</summary>
    Processes,
}

/// <summary>A context for each place, made once for all tests that share it. A test that kills something makes its own.</summary>
public sealed class ClusterPlaces : IAsyncLifetime
{
    private readonly List<WorkerProcess> _workers = [];
    private readonly Dictionary<Place, DataflowContext> _contexts = [];

    /// <summary>The context of a place.</summary>
    public DataflowContext this[Place place] => _contexts[place];

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        _contexts[Place.Threads] = DataflowContext.Local(threads: 2);
        _contexts[Place.Shipped] = ShippingBackend.Context(DataflowOptions.Default with { Threads = 2 });
        var driver = _contexts[Place.Processes] = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        for (var i = 0; i < 2; i++) _workers.Add(new WorkerProcess(driver.Cluster.Url.ToString()));
        await driver.Cluster.WaitForWorkersAsync(2, TimeSpan.FromMinutes(1));
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        foreach (var context in _contexts.Values) await context.DisposeAsync();
        foreach (var worker in _workers) worker.Dispose();
    }
}

/// <summary>Tests that share the places run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class ClusterCollection : ICollectionFixture<ClusterPlaces>
{
    /// <summary>Its name.</summary>
    public const string Name = "cluster";
}
