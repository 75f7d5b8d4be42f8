using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>Tells the driver how the executor is, once at the start and then at an interval.</summary>
internal sealed class ExecutorBeat : IDisposable
{
    private readonly ExecutorServices _services;
    private readonly Func<int> _running;
    private readonly Action<ControlMessage> _send;
    private readonly ITimer _timer;
    private long _shuffleRead;
    private long _shuffleWritten;

    /// <param name="services">What the executor holds.</param>
    /// <param name="running">How many tasks it runs.</param>
    /// <param name="interval">How often it tells.</param>
    /// <param name="time">The clock.</param>
    /// <param name="send">Sends to the driver.</param>
    public ExecutorBeat(ExecutorServices services, Func<int> running, TimeSpan interval, TimeProvider time, Action<ControlMessage> send)
    {
        (_services, _running, _send) = (services, running, send);
        _timer = time.CreateTimer(_ => _send(new Heartbeat(Measure())), null, TimeSpan.Zero, interval);
    }

    /// <summary>Counts what a task did that ended.</summary>
    public void Count(TaskMetrics metrics)
    {
        Interlocked.Add(ref _shuffleRead, metrics.ShuffleReadBytes);
        Interlocked.Add(ref _shuffleWritten, metrics.ShuffleWriteBytes);
    }

    public void Dispose() => _timer.Dispose();

    private ExecutorMetrics Measure() => new(
        _running(), _services.Memory.ReservedBytes, _services.Memory.LimitBytes, GC.GetTotalMemory(forceFullCollection: false), _services.Blocks.MemoryBytes,
        GC.GetTotalPauseDuration(), Interlocked.Read(ref _shuffleRead), Interlocked.Read(ref _shuffleWritten));
}
