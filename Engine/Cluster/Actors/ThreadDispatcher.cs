namespace Dataflow.Cluster;

/// <summary>
/// One thread of its own. A program that blocks all threads of the pool (actions called from pool threads) must not keep the scheduler
/// from running, or it would wait for itself. The thread starts with the first work and ends with the dispatcher.
/// </summary>
/// <remarks>It waits without spinning: messages come thousands of times a second, and the processor belongs to the tasks.</remarks>
internal sealed class ThreadDispatcher(string name) : IDispatcher, IDisposable
{
    private readonly object _lock = new();
    private readonly Queue<IThreadPoolWorkItem> _work = [];
    private Thread? _thread;
    private bool _disposed;

    public bool RunsInline => true;

    public void Schedule(IThreadPoolWorkItem work)
    {
        lock (_lock)
        {
            // What a stopped system still had to say has no reader.
            if (_disposed) return;
            _work.Enqueue(work);
            if (_thread is null)
                Start();
            else
                Monitor.Pulse(_lock);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            Monitor.PulseAll(_lock);
        }
    }

    private void Start()
    {
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        // Not Start: values that flow with the caller's async calls are none of this thread's business.
        _thread.UnsafeStart();
    }

    private void Run()
    {
        while (true)
        {
            IThreadPoolWorkItem? work;
            lock (_lock)
            {
                while (!_work.TryDequeue(out work))
                {
                    if (_disposed) return;
                    Monitor.Wait(_lock);
                }
            }
            work.Execute();
        }
    }
}
