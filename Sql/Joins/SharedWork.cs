using System.Runtime.ExceptionServices;

namespace Dataflow.Sql.Joins;

/// <summary>Work in parts that is done together by all tasks that need its result: who comes takes parts, and waits only for those that others have taken.</summary>
/// <param name="parts">How many parts.</param>
/// <param name="work">Does one.</param>
internal sealed class SharedWork(int parts, Action<int> work)
{
    private readonly ManualResetEventSlim _ended = new();
    private int _taken = -1;
    private int _done;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Does parts until all are done.</summary>
    /// <param name="cancellation">Of the task; what it has begun is done to its end.</param>
    /// <exception cref="Exception">What a part threw, for all who come.</exception>
    public void Help(CancellationToken cancellation)
    {
        while (!_ended.IsSet && !cancellation.IsCancellationRequested)
        {
            var part = Interlocked.Increment(ref _taken);
            if (part >= parts) break;
            try
            {
                if (_failure is null) work(part);
            }
            catch (Exception e)
            {
                _failure = ExceptionDispatchInfo.Capture(e);
            }
            if (Interlocked.Increment(ref _done) == parts) _ended.Set();
        }
        if (parts > 0) _ended.Wait(cancellation);
        _failure?.Throw();
    }
}
