using System.Diagnostics;

namespace Dataflow.Streaming.Kafka;

/// <summary>
/// Clients of this process that no task uses now. They keep their links, and consumers what they fetched ahead, so that a task of the next batch begins at once; who was not
/// used for a while is closed.
/// </summary>
/// <param name="open">Makes one.</param>
internal sealed class KafkaPool<T>(Func<KafkaSetting[], T> open) where T : class, IDisposable
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly List<(T Client, KafkaSetting[] Settings, long Since)> _free = [];
    private Timer? _closing;

    /// <summary>One with these settings: best one that fits.</summary>
    public T Rent(KafkaSetting[] settings, Predicate<T>? fits = null)
    {
        lock (_lock)
        {
            var at = fits is null ? -1 : _free.FindIndex(each => each.Settings.AsSpan().SequenceEqual(settings) && fits(each.Client));
            if (at < 0) at = _free.FindIndex(each => each.Settings.AsSpan().SequenceEqual(settings));
            if (at >= 0)
            {
                var found = _free[at].Client;
                _free.RemoveAt(at);
                return found;
            }
        }
        return open(settings);
    }

    /// <summary>Gives one back that is as good as new.</summary>
    public void Return(T client, KafkaSetting[] settings)
    {
        lock (_lock)
        {
            _free.Add((client, settings, Stopwatch.GetTimestamp()));
            _closing ??= new Timer(_ => CloseIdle());
            _closing.Change(Idle, System.Threading.Timeout.InfiniteTimeSpan);
        }
    }

    private void CloseIdle()
    {
        List<(T Client, KafkaSetting[] Settings, long Since)> old;
        lock (_lock)
        {
            old = _free.FindAll(each => Stopwatch.GetElapsedTime(each.Since) >= Idle - TimeSpan.FromSeconds(1));
            _free.RemoveAll(old.Contains);
            if (_free.Count > 0) _closing!.Change(Idle, System.Threading.Timeout.InfiniteTimeSpan);
        }
        foreach (var (client, _, _) in old) client.Dispose();
    }
}
