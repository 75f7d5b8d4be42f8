using System.Collections.Concurrent;

namespace Dataflow.Cluster;

/// <summary>
/// One thread of its own. A program that blocks all threads of the pool (actions called from pool threads) must not keep the scheduler
/// from running, or it would wait for itself. The thread starts with the first work and ends with the dispatcher.
/// </summary>
internal sealed class ThreadDispatcher(string name) : IDispatcher, IDisposable
{
    private readonly BlockingCollection<IThreadPoolWorkItem> _work = [];
    private readonly Lock _starting = new();
    private Thread? _thread;

    public bool RunsInline => true;

    public void Schedule(IThreadPoolWorkItem work)
    {
        if (_thread is null) Start();
        try
        {
            _work.Add(work);
        }
        catch (InvalidOperationException)
        {
            // Disposed. What a stopped system still had to say has no reader.
        }
    }

    public void Dispose() => _work.CompleteAdding();

    private void Start()
    {
        lock (_starting)
        {
            if (_thread is not null) return;
            _thread = new Thread(Run) { Name = name, IsBackground = true };
            // Not Start: values that flow with the caller's async calls are none of this thread's business.
            _thread.UnsafeStart();
        }
    }

    private void Run()
    {
        foreach (var work in _work.GetConsumingEnumerable()) work.Execute();
    }
}
