using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;

namespace Dataflow.Streaming.Receivers;

/// <summary>Objects that the program gives as a sequence, which has an end perhaps. Each query begins it for itself.</summary>
internal sealed class SequenceSource<T>(IAsyncEnumerable<T> items, ReceiverOptions? options) : IStreamSource
{
    public string Name => $"a sequence of {typeof(T).Name}";

    public Schema Schema => new ObjectFormat<T>().Schema;

    public IStreamReader Open(string folder) => new ReceiverReader(Name, folder, options, new ObjectFormat<T>(), new SequenceReceiver<T>(items));
}

/// <summary>Objects that the program puts into a channel, for one query at a time.</summary>
internal sealed class ChannelSource<T>(ChannelReader<T> channel, ReceiverOptions? options) : IStreamSource
{
    private static readonly ConditionalWeakTable<ChannelReader<T>, object> Taken = [];

    public string Name => $"a channel of {typeof(T).Name}";

    public Schema Schema => new ObjectFormat<T>().Schema;

    public IStreamReader Open(string folder)
    {
        if (!Taken.TryAdd(channel, this))
            throw new StreamingException("STREAM_IN_USE", $"{Name} is read already: each of its objects would come to one of two readers only. Give each a channel of its own.");
        try
        {
            return new ReceiverReader(Name, folder, options, new ObjectFormat<T>(), new ChannelReceiver<T>(channel, () => Taken.Remove(channel)));
        }
        catch
        {
            Taken.Remove(channel);
            throw;
        }
    }
}

/// <summary>Objects as JSON in a log: what another version of their type wrote can be read as well as it fits.</summary>
internal sealed class ObjectFormat<T> : ReceivedFormat<T>
{
    private static readonly JsonSerializerOptions Options = new() { IncludeFields = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public override T Read(in ReceivedRecord record) => JsonSerializer.Deserialize<T>(record.Bytes.Span, Options)!;

    public static byte[] Write(T item) => JsonSerializer.SerializeToUtf8Bytes(item, Options);

    /// <summary>Checks with an object that it can be read again.</summary>
    /// <exception cref="StreamingException">It can't.</exception>
    public static void Check(byte[] written)
    {
        Exception? cause = null;
        try
        {
            if (Write(JsonSerializer.Deserialize<T>(written, Options)!).AsSpan().SequenceEqual(written)) return;
        }
        catch (Exception error) when (error is NotSupportedException or JsonException)
        {
            cause = error;
        }
        var why = cause is null ? "" : $" ({cause.Message})";
        throw new StreamingException(
            "STREAM_OBJECT_NOT_KEPT", $"Objects of {typeof(T)} can't be kept in the checkpoint: read again from JSON they are not as they were{why}. Use a record, or properties that can be set.", cause);
    }
}

/// <summary>Puts a sequence into the log.</summary>
internal sealed class SequenceReceiver<T>(IAsyncEnumerable<T> items) : Receiver
{
    private volatile TaskCompletionSource _rests = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override bool HasEnd => true;

    public override async Task RunAsync(ReceivedLog log, CancellationToken stop)
    {
        try
        {
            var isFirst = true;
            var enumerator = items.GetAsyncEnumerator(stop);
            await using (enumerator.ConfigureAwait(false))
            {
                while (await OrRest(enumerator.MoveNextAsync().AsTask()).ConfigureAwait(false))
                {
                    var written = ObjectFormat<T>.Write(enumerator.Current);
                    if (isFirst) ObjectFormat<T>.Check(written);
                    isFirst = false;
                    _ = await OrRest(log.AppendAsync(written, stop).AsTask()).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            _rests.TrySetResult();
        }
    }

    public override async Task CatchUpAsync(ReceivedLog log, CancellationToken stop)
    {
        // One that never waits is looked at while it goes on.
        await ((Task)_rests.Task).WaitAsync(Receiver.MostCatchUp, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.ThrowIfCancellationRequested();
        await log.FlushAsync().ConfigureAwait(false);
    }

    // Whoever looks for rows waits until the sequence itself waits.
    private async ValueTask<TResult> OrRest<TResult>(Task<TResult> step)
    {
        if (step.IsCompleted) return await step.ConfigureAwait(false);
        _rests.TrySetResult();
        var result = await step.ConfigureAwait(false);
        _rests = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return result;
    }
}

/// <summary>Puts into the log what is in a channel: as it comes, and at each look for rows.</summary>
internal sealed class ChannelReceiver<T>(ChannelReader<T> channel, Action release) : Receiver
{
    // Whatever the time says.
    private const int LeastTaken = 1024;

    private readonly SemaphoreSlim _taking = new(1);
    private byte[]? _held;
    private bool _isChecked;

    public override bool HasEnd => true;

    public override async Task RunAsync(ReceivedLog log, CancellationToken stop)
    {
        while (_held is not null || await channel.WaitToReadAsync(stop).ConfigureAwait(false))
        {
            var room = log.Room;
            if (!await TakeAsync(log, Timeout.InfiniteTimeSpan, stop).ConfigureAwait(false)) await room.WaitAsync(stop).ConfigureAwait(false);
        }
    }

    public override async Task CatchUpAsync(ReceivedLog log, CancellationToken stop)
    {
        await TakeAsync(log, Receiver.MostCatchUp, stop).ConfigureAwait(false);
        await log.FlushAsync().ConfigureAwait(false);
    }

    public override void Release()
    {
        _taking.Dispose();
        release();
    }

    // Takes what is there, or what comes for so long; false if there was no room for all.
    private async Task<bool> TakeAsync(ReceivedLog log, TimeSpan atMost, CancellationToken stop)
    {
        await _taking.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            var began = Stopwatch.GetTimestamp();
            for (var taken = 0; taken < LeastTaken || atMost == Timeout.InfiniteTimeSpan || Stopwatch.GetElapsedTime(began) < atMost; taken++)
            {
                if (_held is null)
                {
                    if (!channel.TryRead(out var item)) return true;
                    var written = ObjectFormat<T>.Write(item);

                    // Held only then: who takes next would put it into the log.
                    if (!_isChecked) ObjectFormat<T>.Check(written);
                    (_isChecked, _held) = (true, written);
                }
                if (log.TryAppend(_held) is null) return false;
                _held = null;
            }
            return true;
        }
        finally
        {
            _taking.Release();
        }
    }
}
