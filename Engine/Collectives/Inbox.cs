namespace Dataflow.Collectives;

/// <summary>What has come for one task of a gang: it waits here for the task, or the task for it. Thread-safe; one task reads.</summary>
/// <param name="grace">The driver hears of a lost executor by itself, and kills the attempt: that is waited for, so that it counts as one failure.</param>
internal sealed class Inbox(TimeSpan grace)
{
    private readonly object _lock = new();
    private readonly Dictionary<(int From, int Sequence, int Part), PeerMessage> _messages = [];
    private readonly HashSet<int> _ended = [];
    private string? _lost;
    private bool _closed;
    private bool _cancelled;

    public void Put(PeerMessage message)
    {
        var header = message.Header;
        lock (_lock)
        {
            if (!_closed && _messages.TryAdd((header.From, header.Sequence, header.Part), message))
            {
                Monitor.Pulse(_lock);
                return;
            }
        }
        message.Release();
    }

    /// <summary>A task has ended: what is not here from it will not come.</summary>
    public void End(int task)
    {
        lock (_lock)
        {
            _ended.Add(task);
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Another process is lost, so the gang is.</summary>
    public void Lose(string why)
    {
        lock (_lock)
        {
            _lost ??= why;
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>The task was cancelled.</summary>
    public void Cancel()
    {
        lock (_lock)
        {
            _cancelled = true;
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>The task has ended: nothing more is kept.</summary>
    public void Close()
    {
        PeerMessage[] left;
        lock (_lock)
        {
            _closed = true;
            left = [.. _messages.Values];
            _messages.Clear();
        }
        foreach (var message in left) message.Release();
    }

    /// <summary>Waits until the task is cancelled, for a short while.</summary>
    public void AwaitDriver(long deadline)
    {
        lock (_lock)
        {
            var end = Math.Min(deadline, Environment.TickCount64 + (long)grace.TotalMilliseconds);
            while (!_cancelled && Environment.TickCount64 is var now && now < end) Monitor.Wait(_lock, (int)(end - now));
        }
    }

    /// <summary>Waits for a message. The caller releases it.</summary>
    /// <param name="from">The task that it comes from.</param>
    /// <param name="sequence">The call.</param>
    /// <param name="part">Which message of the call.</param>
    /// <param name="deadline">In <see cref="Environment.TickCount64"/>.</param>
    /// <returns>The message; or null and why it will not come.</returns>
    public PeerMessage? Take(int from, int sequence, int part, long deadline, out string? why)
    {
        var key = (from, sequence, part);
        why = null;
        lock (_lock)
        {
            while (true)
            {
                if (_cancelled)
                {
                    why = "the task was cancelled";
                    return null;
                }
                if (_messages.Remove(key, out var message)) return message;
                if (_ended.Contains(from))
                {
                    why = $"task {from} ended without it. All tasks of a barrier stage must make the same calls in the same order";
                    return null;
                }
                if (_lost is not null)
                {
                    AwaitDriver(deadline);
                    why = _lost;
                    return null;
                }
                var left = deadline - Environment.TickCount64;
                if (left <= 0)
                {
                    why = $"task {from} did not come in time. If it needs longer, call with a longer timeout or raise DataflowOptions.BarrierTimeout";
                    return null;
                }
                Monitor.Wait(_lock, (int)Math.Min(left, int.MaxValue));
            }
        }
    }
}
