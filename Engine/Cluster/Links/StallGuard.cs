namespace Dataflow.Cluster;

/// <summary>Gives up on a server that sends nothing, as long as it was asked: not while the reader itself is busy.</summary>
internal sealed class StallGuard(NodeOptions options, CancellationToken cancellation) : IDisposable
{
    private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
    private ITimer? _timer;

    /// <summary>Reads until a buffer is full.</summary>
    /// <exception cref="TimeoutException">Nothing came for too long.</exception>
    /// <exception cref="HttpIOException">The connection broke.</exception>
    public async ValueTask FillAsync(Stream stream, Memory<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var read = stream.ReadAsync(buffer, _source.Token);
            var count = read.IsCompletedSuccessfully ? read.Result : await WaitAsync(read).ConfigureAwait(false);
            if (count == 0) throw new HttpIOException(HttpRequestError.ResponseEnded, "the connection was closed in the middle of an answer");
            buffer = buffer[count..];
        }
    }

    /// <summary>Waits for the server's part of something.</summary>
    /// <exception cref="TimeoutException">It took too long.</exception>
    public async Task<T> GuardAsync<T>(Func<CancellationToken, Task<T>> work)
    {
        _timer ??= options.Limits.Time.CreateTimer(state => ((StallGuard)state!).Expire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(options.StallTimeout, Timeout.InfiniteTimeSpan);
        try
        {
            return await work(_source.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing came for {options.StallTimeout.TotalSeconds:N0} s");
        }
        finally
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task<int> WaitAsync(ValueTask<int> read)
    {
        try
        {
            return await GuardAsync(_ => read.AsTask()).ConfigureAwait(false);
        }
        catch (IOException error) when (error is not HttpIOException)
        {
            // One type for a broken connection: a caller's own disk fails with others.
            throw new HttpIOException(HttpRequestError.ResponseEnded, error.Message, error);
        }
    }

    private void Expire()
    {
        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The answer came in the same moment.
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _source.Dispose();
    }
}
