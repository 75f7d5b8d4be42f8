using Dataflow.Sql.Sources;

namespace Dataflow.Streaming.Receivers;

/// <summary>Takes in, for one query, what can't be asked for again.</summary>
internal abstract class Receiver
{
    /// <summary>How long a look for rows waits for what is there already but not yet taken in: with one that always has more it must come to an end.</summary>
    public static readonly TimeSpan MostCatchUp = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs in the background from the query's start to its end.</summary>
    /// <remarks>When it returns, nothing more will come. What it throws ends the query, after the batches that read what came before.</remarks>
    /// <param name="log">Where to put it.</param>
    /// <param name="stop">The query ends.</param>
    public abstract Task RunAsync(ReceivedLog log, CancellationToken stop);

    /// <summary>Told, before anything else, what the log still has from before: the last records, also such that batches have read.</summary>
    public virtual void Recall(ReceivedRecords last) { }

    /// <summary>As <see cref="IStreamReader.Problem"/>.</summary>
    public virtual string? Problem => null;

    /// <summary>The number of the oldest record that must be recalled after a start, also when batches have read it.</summary>
    public virtual long Needed => long.MaxValue;

    /// <summary>Whether a query that runs until nothing is new waits for the receiver's end, as what comes is known to have one.</summary>
    public virtual bool HasEnd => false;

    /// <summary>Waits until all is in the log that is there without waiting for somebody else, and no longer than <see cref="MostCatchUp"/>.</summary>
    /// <param name="log">Where to put it.</param>
    /// <param name="stop">The query ends.</param>
    public virtual Task CatchUpAsync(ReceivedLog log, CancellationToken stop) => Task.CompletedTask;

    /// <summary>Gives back what it holds, after it has ended or if it never began.</summary>
    public virtual void Release() { }
}

/// <summary>Reads a receiver's log: the reader of all sources that can't replay.</summary>
/// <remarks>Offsets are numbers of records. The receiver begins with the first look for rows, or before, if <see cref="Begin"/> is called.</remarks>
internal sealed class ReceiverReader : IStreamReader
{
    private const long MostRecalled = 65536;

    private readonly string _name;
    private readonly ReceivedFormat _format;
    private readonly Receiver _receiver;
    private readonly ReceivedLog _log;
    private readonly CancellationTokenSource _stopping = new();
    private Task? _running;
    private bool _hadEnded;

    /// <param name="name">How errors call the source.</param>
    /// <param name="folder">The folder in the query's checkpoint.</param>
    /// <param name="options">Of the log.</param>
    /// <param name="format">Makes rows.</param>
    /// <param name="receiver">Takes in; used once.</param>
    public ReceiverReader(string name, string folder, ReceiverOptions? options, ReceivedFormat format, Receiver receiver)
    {
        (_name, _format, _receiver) = (name, format, receiver);
        _log = new ReceivedLog(folder, options) { Needed = () => receiver.Needed };
        _receiver.Recall(_log.Last(MostRecalled));
    }

    // Of the last look: what came with the end, after it, is for the next one.
    public bool WaitsForMore => _receiver.HasEnd && !_hadEnded;

    public string? Problem => _receiver.Problem;

    /// <summary>Does, with the log, what must have worked when the query starts.</summary>
    public TResult Start<TResult>(Func<ReceivedLog, Task<TResult>> start) => Task.Run(() => start(_log)).GetAwaiter().GetResult();

    /// <summary>Begins to receive. Nothing happens if it has begun.</summary>
    public void Begin() => _running ??= Task.Run(RunAsync);

    public async ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellationToken)
    {
        Begin();
        _hadEnded = _running!.IsCompleted;
        if (!_hadEnded) await _receiver.CatchUpAsync(_log, cancellationToken).ConfigureAwait(false);
        return _log.FindEnd(start, mostRows);
    }

    public ITable Read(string? start, string end) => new ReceivedTable(_name, _log.Read(start, end), _format);

    public ValueTask CommitAsync(string end, CancellationToken cancellationToken)
    {
        _log.Commit(end);
        return ValueTask.CompletedTask;
    }

    /// <summary>The records of a range.</summary>
    public ReceivedRange RangeOf(string? start, string end) => _log.Read(start, end);

    /// <summary>Stops the receiver, and waits until all it took in is kept. The log can still be read.</summary>
    public async Task EndAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        if (_running is not null) await _running.ConfigureAwait(false);
        await _log.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Stops the receiver; what it was told to keep is kept.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        _running?.GetAwaiter().GetResult();
        _receiver.Release();
        _log.Dispose();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await _receiver.RunAsync(_log, _stopping.Token).ConfigureAwait(false);
            await _log.FlushAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The query has ended.
        }
        catch (Exception error)
        {
            await _log.FlushAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _log.Fail(error);
        }
    }
}
