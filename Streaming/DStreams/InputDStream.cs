using System.Collections.Concurrent;
using System.Globalization;
using Dataflow.Streaming.Receivers;

namespace Dataflow.Streaming.DStreams;

/// <summary>A stream that reads something outside. What each batch reads of it is written down before: from which place to which.</summary>
internal interface IInputDStream : IDisposable
{
    /// <summary>Why it can't go on with a checkpoint; null if it can.</summary>
    string? LostOnRestart { get; }

    /// <summary>Opens it. Called once, before anything else.</summary>
    void Open(string folder);

    /// <summary>Begins to take in.</summary>
    void Begin();

    /// <summary>Where what is there now ends.</summary>
    ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellation);

    /// <summary>Says what the batch of a time reads.</summary>
    void Plan(DateTimeOffset time, string? start, string? end);

    /// <summary>Rows of a range, if they are counted.</summary>
    long CountOf(string? start, string? end);

    /// <summary>Nothing before is asked for any more.</summary>
    ValueTask CommitAsync(string end, CancellationToken cancellation);

    /// <summary>Takes nothing more in.</summary>
    Task EndAsync();
}

/// <inheritdoc cref="IInputDStream"/>
internal abstract class InputDStream<T>(StreamingContext streaming, string operation) : DStream<T>(streaming, operation, streaming.Interval, []), IInputDStream
{
    private readonly ConcurrentDictionary<long, (string? Start, string? End)> _ranges = [];
    private DateTimeOffset _latest;

    public virtual string? LostOnRestart => null;

    public abstract void Open(string folder);

    public virtual void Begin() { }

    public abstract ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellation);

    public void Plan(DateTimeOffset time, string? start, string? end)
    {
        _ranges[time.UtcTicks] = (start, end);
        if (time > _latest) _latest = time;
    }

    public virtual long CountOf(string? start, string? end) => 0;

    public virtual ValueTask CommitAsync(string end, CancellationToken cancellation) => ValueTask.CompletedTask;

    public virtual Task EndAsync() => Task.CompletedTask;

    public abstract void Dispose();

    internal sealed override Rdd<T>? Compute(DateTimeOffset time)
    {
        if (!_ranges.TryGetValue(time.UtcTicks, out var range))
        {
            // Of the future; or forgotten, which must not pass for nothing.
            return time > _latest ? null : throw new InvalidOperationException($"What {Operation} read at {time:O} is not remembered any more. Have the context remember it for longer (Remember).");
        }
        return range.End is { } end && end != range.Start ? Read(range.Start, end) : Streaming.Context.Empty<T>();
    }

    internal sealed override void Forget(DateTimeOffset now)
    {
        base.Forget(now);
        foreach (var ticks in _ranges.Keys)
        {
            if (ticks <= (now - Kept).UtcTicks) _ranges.TryRemove(ticks, out _);
        }
    }

    protected abstract Rdd<T> Read(string? start, string end);
}

/// <summary>What a receiver took in.</summary>
internal sealed class ReceiverDStream<T>(StreamingContext streaming, string operation, Func<string, ReceiverReader> open, Func<ReceivedRecord, T> decode) : InputDStream<T>(streaming, operation)
{
    private const long SliceBytes = 2L << 20;
    private ReceiverReader? _reader;

    /// <summary>How many were taken in, in all.</summary>
    internal long Received => long.Parse(_reader?.FindEndAsync(null, long.MaxValue, default).AsTask().GetAwaiter().GetResult() ?? "0", CultureInfo.InvariantCulture);

    public override void Open(string folder) => _reader = open(folder);

    public override void Begin() => _reader!.Begin();

    public override ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellation) => _reader!.FindEndAsync(start, mostRows, cancellation);

    public override long CountOf(string? start, string? end) => Number(end) - Number(start);

    public override ValueTask CommitAsync(string end, CancellationToken cancellation) => _reader!.CommitAsync(end, cancellation);

    public override Task EndAsync() => _reader!.EndAsync();

    public override void Dispose() => _reader?.Dispose();

    protected override Rdd<T> Read(string? start, string end)
    {
        var range = _reader!.RangeOf(start, end);
        var slices = new List<PieceSlice>();
        for (var first = 0; first < range.Pieces.Length;)
        {
            var (next, bytes) = (first, 0L);
            while (next < range.Pieces.Length && bytes < SliceBytes) bytes += range.Pieces[next++].Length;
            var pieces = range.Pieces[first..next];
            slices.Add(new PieceSlice(pieces, Math.Max(range.Start, pieces[0].First), Math.Min(range.End, pieces[^1].End)));
            first = next;
        }
        return Streaming.Context.Parallelize(Enumerable.Range(0, slices.Count), slices.Count).FlatMap(Reading([.. slices], decode));
    }

    private static Func<int, IEnumerable<T>> Reading(PieceSlice[] slices, Func<ReceivedRecord, T> decode) => i => Read(slices[i], decode);

    private static IEnumerable<T> Read(PieceSlice slice, Func<ReceivedRecord, T> decode)
    {
        var records = new ReceivedRecords(slice.Pieces, slice.Start, slice.End);
        while (records.TryRead(out var record)) yield return decode(record);
    }

    private static long Number(string? offset) => offset is null ? 0 : long.Parse(offset, CultureInfo.InvariantCulture);

    private sealed record PieceSlice(ReceivedPiece[] Pieces, long Start, long End);
}
