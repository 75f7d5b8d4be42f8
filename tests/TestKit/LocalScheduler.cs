using Dataflow.Cluster;
using Dataflow.Diagnostics;
using Dataflow.Jobs;
using Dataflow.Scheduling;
using Dataflow.TaskScheduling;
using Dataflow.Tasks;

namespace Dataflow.TestKit;

/// <summary>A scheduler over threads of this process, with everything it needs, for tests without a context.</summary>
internal sealed class LocalScheduler : IDisposable
{
    private readonly ExecutorServices _services;
    private readonly ThreadDispatcher _dispatcher = new("test scheduler");

    public LocalScheduler(int slots, DataflowOptions? options = null, TimeProvider? time = null)
    {
        options ??= DataflowOptions.Default with { EngineMemoryBytes = 16 << 20 };
        time ??= TimeProvider.System;
        _services = new ExecutorServices(new ExecutorId(0), new WorkerId(0), options);
        Listeners = new ListenerBus(options.ListenerQueueLength, PoolDispatcher.Shared, TimeProvider.System);
        Backend = new LocalBackend(_services, slots, time);
        Loop = new SchedulerLoop(options, Backend, _dispatcher, time, new Random(1), Listeners);
        _services.Commits = Loop;
        _services.Meetings = Loop;
    }

    public SchedulerLoop Loop { get; }

    public LocalBackend Backend { get; }

    public ListenerBus Listeners { get; }

    /// <summary>Runs a job on all partitions and gives its results in order.</summary>
    public async Task<object?[]> Run(Rdd rdd, Func<Partition, TaskContext, object?> function, CancellationToken cancellationToken = default, JobProperties? properties = null)
    {
        var results = new object?[rdd.PartitionCount];
        await Loop.SubmitJob(
            new JobRequest(rdd, [.. Enumerable.Range(0, results.Length)], function)
            {
                OnResult = (index, value) => results[index] = value,
                Properties = properties ?? JobProperties.None,
            },
            cancellationToken);
        return results;
    }

    public void Dispose()
    {
        Loop.StopAsync("the test is over").Wait();
        _dispatcher.Dispose();
        _services.Dispose();
    }
}
