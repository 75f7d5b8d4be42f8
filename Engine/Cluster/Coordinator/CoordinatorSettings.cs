using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dataflow.Cluster;

/// <summary>What a coordinator takes from outside: threads, clock, dice, patience.</summary>
internal sealed record CoordinatorSettings
{
    /// <summary>Where its mailbox runs.</summary>
    public IDispatcher Dispatcher { get; init; } = PoolDispatcher.Shared;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Draws the numbers of workers.</summary>
    public Random Random { get; init; } = new();

    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>The version that workers and programs must have too.</summary>
    public string Version { get; init; } = CoordinatorHost.EngineVersion;

    /// <summary>How long a worker whose link broke may take to come back before it is gone.</summary>
    public TimeSpan WorkerPatience { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a program whose link broke may take to come back before it has ended.</summary>
    public TimeSpan ApplicationPatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long tasks may go on that run on an executor which is asked back for another program.</summary>
    public TimeSpan ShareGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often programs say how their executors are.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(2);
}
