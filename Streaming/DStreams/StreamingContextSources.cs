using System.Collections.Concurrent;
using System.Text;
using Dataflow.Streaming.Receivers;

namespace Dataflow.Streaming.DStreams;

// Where streams begin.
public sealed partial class StreamingContext
{
    /// <summary>Rdds that the program puts into a queue: for tests. Not with a checkpoint.</summary>
    /// <param name="queue">What is put in during an interval comes in its batch.</param>
    /// <param name="oneAtATime">Whether a batch takes one Rdd, and else all that are there.</param>
    /// <param name="otherwise">Taken when there is none; null for no elements.</param>
    public DStream<T> QueueStream<T>(ConcurrentQueue<Rdd<T>> queue, bool oneAtATime = true, Rdd<T>? otherwise = null)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return new QueueDStream<T>(this, queue, oneAtATime, otherwise);
    }

    /// <summary>Lines that a server sends over TCP. Connects again when the connection ends; what the server sent in between is lost, what came is in the log.</summary>
    /// <param name="host">The server's machine.</param>
    /// <param name="port">The server's port.</param>
    /// <param name="reconnect">Waits between attempts; null for the defaults.</param>
    public DStream<string> SocketTextStream(string host, int port, ReconnectOptions? reconnect = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(host);
        var source = new SocketSource(host, port, includeTimestamp: false, reconnect, Options.Receiver) { Time = Options.Time };
        return new ReceiverDStream<string>(this, "SocketTextStream", folder => (ReceiverReader)source.Open(folder), static record => Encoding.UTF8.GetString(record.Bytes.Span));
    }

    /// <summary>Elements that a receiver of the program takes in.</summary>
    /// <param name="receiver">Used once.</param>
    /// <exception cref="CodecException"><typeparamref name="T"/> can't be encoded; the message names the member.</exception>
    public DStream<T> ReceiverStream<T>(StreamReceiver<T> receiver)
    {
        ArgumentNullException.ThrowIfNull(receiver);
        _ = Dataflow.Serialization.Codec<T>.Default;
        var name = receiver.GetType().Name;
        return new ReceiverDStream<T>(
            this, $"ReceiverStream {name}", folder => new ReceiverReader(name, folder, Options.Receiver, TextFormat.Lines(withTime: false), new ProgramReceiver<T>(receiver)), ProgramReceiver<T>.Decode);
    }

    /// <summary>The lines of text files that come into a folder, each file in the batch of the interval in which it is first seen. Move files in whole.</summary>
    /// <param name="folder">The folder; it may come later.</param>
    /// <param name="filter">Which files, by their paths; null for all. Names that begin with a dot or an underscore are not looked at.</param>
    /// <param name="newOnly">Whether files that were written before the first start are left out.</param>
    public DStream<string> TextFileStream(string folder, Func<string, bool>? filter = null, bool newOnly = true) =>
        FileStream(folder, static (context, paths) => context.Union([.. paths.Select(path => context.TextFile(path))]), filter, newOnly);

    /// <summary>Files that come into a folder, read by the program's own code. Otherwise as <see cref="TextFileStream"/>.</summary>
    /// <param name="folder">The folder; it may come later.</param>
    /// <param name="read">Makes an Rdd of the files of a batch, in the driver.</param>
    /// <param name="filter">Which files, by their paths; null for all.</param>
    /// <param name="newOnly">Whether files that were written before the first start are left out.</param>
    public DStream<T> FileStream<T>(string folder, [RunsInDriver] Func<DataflowContext, IReadOnlyList<string>, Rdd<T>> read, Func<string, bool>? filter = null, bool newOnly = true)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        ArgumentNullException.ThrowIfNull(read);
        return new FileDStream<T>(this, folder, read, filter, newOnly);
    }

    /// <summary>The elements of several streams; duplicates stay.</summary>
    /// <param name="streams">Of this context, with the same interval or slide.</param>
    /// <exception cref="StreamingException">They slide by different times.</exception>
    public DStream<T> Union<T>(params IReadOnlyList<DStream<T>> streams)
    {
        ArgumentNullException.ThrowIfNull(streams);
        return Transform(streams, "Union", (rdds, _) => Context.Union(rdds));
    }

    /// <summary>Makes an Rdd of each of several streams.</summary>
    /// <param name="streams">Of this context, with the same interval or slide.</param>
    /// <param name="transform">Runs in the driver, for each time.</param>
    /// <exception cref="StreamingException">They slide by different times.</exception>
    public DStream<TOut> Transform<T, TOut>(IReadOnlyList<DStream<T>> streams, [RunsInDriver] Func<IReadOnlyList<Rdd<T>>, DateTimeOffset, Rdd<TOut>> transform)
    {
        ArgumentNullException.ThrowIfNull(streams);
        ArgumentNullException.ThrowIfNull(transform);
        return Transform(streams, "Transform", transform);
    }

    private DerivedDStream<TOut> Transform<T, TOut>(IReadOnlyList<DStream<T>> streams, string operation, Func<IReadOnlyList<Rdd<T>>, DateTimeOffset, Rdd<TOut>> transform)
    {
        if (streams.Count == 0) throw new ArgumentException("There is no stream to work on.", nameof(streams));
        DStream<T>[] all = [.. streams];
        CheckSlides(all);
        return new DerivedDStream<TOut>(all[0], operation, all, time =>
        {
            var rdds = all.Select(stream => stream.RddAt(time)).OfType<Rdd<T>>().ToArray();
            return rdds.Length == all.Length ? transform(rdds, time) : null;
        });
    }
}
