using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming;

/// <summary>A query that goes on in the background. Disposing it stops it, between two steps of a batch, as a failure would: with a checkpoint the next start goes on from there.</summary>
public sealed class StreamingQuery : IAsyncDisposable
{
    private const int MostRecent = 100;
    private static int _started;

    private readonly MicroBatchLoop _loop;
    private readonly StreamingQueries _queries;
    private readonly StreamingListener[] _listeners;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private readonly List<StreamingProgress> _recent = [];
    private readonly List<Channel<StreamingProgress>> _readers = [];
    private List<TaskCompletionSource> _idle = [];
    private List<TaskCompletionSource> _nextIdle = [];
    private readonly Task _running;

    private StreamingQuery(MicroBatchLoop loop, StreamingQueries queries, string name)
    {
        (_loop, _queries) = (loop, queries);
        Name = name;
        _listeners = queries.Begin(this);
        try
        {
            foreach (var listener in _listeners) listener.OnStarted(this);
        }
        catch
        {
            queries.End(this);
            loop.Dispose();
            throw;
        }
        _running = Task.Run(RunAsync);
    }

    internal static StreamingQuery Start(DataFrame frame, IStreamSink sink, StreamingQueryOptions options) =>
        new(new MicroBatchLoop(frame, sink, options), StreamingQueries.Of(frame.Session.Context), options.Name ?? $"stream {Interlocked.Increment(ref _started)}");

    /// <summary>What it is called.</summary>
    public string Name { get; }

    /// <summary>The same from start to start with one checkpoint.</summary>
    public Guid Id => _loop.Id;

    /// <summary>This start.</summary>
    public Guid RunId { get; } = Guid.NewGuid();

    /// <summary>Whether it goes on.</summary>
    public bool IsActive => _running is not { IsCompleted: true };

    /// <summary>What ended it; null if nothing failed.</summary>
    public Exception? Exception { get; private set; }

    /// <summary>What it does at the moment; and, of rows that it holds back, when they will come: <c>waits for new rows of JSON files in 'inbox'. The next is final when the watermark reaches
    /// 12:05:00; it is 12:03:00, the latest time less 00:02:00</c>. A source that can't be reached is named, with the time since.</summary>
    public StreamingQueryStatus Status
    {
        get
        {
            if (!IsActive) return new(false, Exception is null ? "has ended" : $"has failed: {Exception.Message}");
            if (_loop.Problem is { } problem) return new(true, $"{(_loop.Doing is { } doing ? $"{doing}, but " : "")}{problem}");
            return new(true, _loop.Doing ?? $"waits for new rows of {_loop.Sources}{Held(LastProgress)}");
        }
    }

    /// <summary>The last batch; null before the first.</summary>
    public StreamingProgress? LastProgress
    {
        get
        {
            lock (_lock) return _recent.Count == 0 ? null : _recent[^1];
        }
    }

    /// <summary>The last batches, up to a hundred.</summary>
    public IReadOnlyList<StreamingProgress> RecentProgress
    {
        get
        {
            lock (_lock) return [.. _recent];
        }
    }

    /// <summary>Told of each batch, on the query's thread, after it is done.</summary>
    public event Action<StreamingProgress>? BatchCompleted;

    /// <summary>The batches from now on, until the query ends.</summary>
    /// <param name="cancellationToken">Ends the sequence, not the query.</param>
    /// <exception cref="Exception">The query failed: what ended it.</exception>
    public async IAsyncEnumerable<StreamingProgress> ProgressAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateUnbounded<StreamingProgress>(new() { SingleReader = true });
        lock (_lock)
        {
            if (_running.IsCompleted) channel.Writer.TryComplete(Exception);
            else _readers.Add(channel);
        }
        try
        {
            await foreach (var progress in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return progress;
        }
        finally
        {
            lock (_lock) _readers.Remove(channel);
        }
    }

    /// <summary>Waits until all that the sources have now is where it belongs. With a source that always has more it waits for a moment without.</summary>
    /// <param name="cancellationToken">Ends the wait, not the query.</param>
    /// <exception cref="Exception">The query failed: what ended it.</exception>
    public async Task ProcessAllAvailableAsync(CancellationToken cancellationToken = default)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock) _nextIdle.Add(done);
        await Task.WhenAny(done.Task, _running).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!done.Task.IsCompleted) await AwaitTerminationAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until the query ends: stopped, or by its trigger.</summary>
    /// <param name="cancellationToken">Ends the wait, not the query.</param>
    /// <exception cref="Exception">The query failed: what ended it.</exception>
    public Task AwaitTerminationAsync(CancellationToken cancellationToken = default) => _running.WaitAsync(cancellationToken);

    /// <summary>Stops it, and waits until it has ended. A batch that is under way is given up; with a checkpoint the next start computes it again.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await ((Task)_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private async Task RunAsync()
    {
        try
        {
            await _loop.RunAsync(Note, Idle, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (_stopping.IsCancellationRequested && error is OperationCanceledException or JobFailedException)
        {
            // Stopped.
        }
        catch (Exception error)
        {
            Exception = error;
            throw;
        }
        finally
        {
            _loop.Dispose();
            _queries.End(this);
            lock (_lock)
            {
                foreach (var reader in _readers) reader.Writer.TryComplete(Exception);
                _readers.Clear();
            }
            Tell();
        }
    }

    // What a listener throws is what the query failed with, if nothing else was.
    private void Tell()
    {
        try
        {
            foreach (var listener in _listeners) listener.OnTerminated(this, Exception);
        }
        catch (Exception error) when (Exception is null)
        {
            Exception = error;
            throw;
        }
    }

    // Why nothing comes out yet.
    private string Held(StreamingProgress? last)
    {
        if (last?.NextFinal is not { } next) return "";
        var now = last.LatestTime is not { } latest ? "no row had a time yet"
            : _loop.Watermarks > 1 ? "the input that is furthest behind says" : $"the latest time was {Text(latest)}, and rows may come {_loop.Delay} late";
        return $". The next group is final when the watermark reaches {Text(next)}; it is {(last.Watermark is { } at ? Text(at) : "not known")}, as {now}";

        static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);
    }

    private void Note(StreamingProgress progress)
    {
        lock (_lock)
        {
            _recent.Add(progress);
            if (_recent.Count > MostRecent) _recent.RemoveAt(0);
            foreach (var reader in _readers) reader.Writer.TryWrite(progress);
        }
        StreamingMetrics.Note(Name, progress);
        BatchCompleted?.Invoke(progress);
        foreach (var listener in _listeners) listener.OnProgress(this, progress);
    }

    // Who asked before the sources were last looked at has all that was there when it asked; the others wait for the next look.
    private void Idle()
    {
        List<TaskCompletionSource> done;
        lock (_lock) (done, _idle, _nextIdle) = (_idle, _nextIdle, []);
        foreach (var listener in _listeners) listener.OnIdle(this);
        foreach (var each in done) each.TrySetResult();
    }
}
