using System.Collections.Concurrent;
using System.Globalization;
using Dataflow.Files;
using Dataflow.Streaming.Execution;
using Dataflow.Streaming.Sources;

namespace Dataflow.Streaming.DStreams;

/// <summary>Files that come into a folder, each in the batch of the interval in which it was first seen.</summary>
internal sealed class FileDStream<T>(StreamingContext streaming, string folder, Func<DataflowContext, IReadOnlyList<string>, Rdd<T>> read, Func<string, bool>? filter, bool newOnly)
    : InputDStream<T>(streaming, $"FileStream '{folder}'")
{
    private FileStreamReader? _reader;

    public override void Open(string checkpoint) => _reader = new FileStreamReader($"files in '{folder}'", FileSystems.Resolve(folder), FileStreamFormat.Text(), new FileSourceOptions(), new DurableLog(checkpoint))
    {
        Takes = file => (!newOnly || file.Modified >= Streaming.Zero) && filter?.Invoke(file.Path) != false,
    };

    public override ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellation) => _reader!.FindEndAsync(start, mostRows, cancellation);

    public override ValueTask CommitAsync(string end, CancellationToken cancellation) => _reader!.CommitAsync(end, cancellation);

    public override void Dispose() => _reader?.Dispose();

    protected override Rdd<T> Read(string? start, string end) => read(Streaming.Context, [.. _reader!.FilesOf(start, end).Select(file => file.Path)]);
}

/// <summary>Rdds that the program puts into a queue.</summary>
internal sealed class QueueDStream<T>(StreamingContext streaming, ConcurrentQueue<Rdd<T>> queue, bool oneAtATime, Rdd<T>? otherwise) : InputDStream<T>(streaming, "QueueStream")
{
    private readonly List<Rdd<T>> _taken = [];
    private int _dropped;

    public override string LostOnRestart => "a queue of Rdds goes with its process, and can't be read again";

    public override void Open(string folder) { }

    public override ValueTask<string?> FindEndAsync(string? start, long mostRows, CancellationToken cancellation)
    {
        lock (_taken)
        {
            var before = _taken.Count;
            while ((!oneAtATime || _taken.Count == before) && queue.TryDequeue(out var rdd)) _taken.Add(rdd);
            if (_taken.Count == before && otherwise is not null) _taken.Add(otherwise);
            return new(_taken.Count == before ? start : (_dropped + _taken.Count).ToString(CultureInfo.InvariantCulture));
        }
    }

    public override ValueTask CommitAsync(string end, CancellationToken cancellation)
    {
        lock (_taken)
        {
            var gone = Number(end) - _dropped;
            _taken.RemoveRange(0, gone);
            _dropped += gone;
            return ValueTask.CompletedTask;
        }
    }

    public override void Dispose() { }

    protected override Rdd<T> Read(string? start, string end)
    {
        lock (_taken)
        {
            var rdds = _taken[(Number(start) - _dropped)..(Number(end) - _dropped)];
            return rdds.Count == 1 ? rdds[0] : Streaming.Context.Union(rdds);
        }
    }

    private static int Number(string? offset) => offset is null ? 0 : int.Parse(offset, CultureInfo.InvariantCulture);
}
