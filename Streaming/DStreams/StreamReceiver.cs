using Dataflow.Serialization;
using Dataflow.Streaming.Receivers;

namespace Dataflow.Streaming.DStreams;

/// <summary>Takes elements in from somewhere, for <see cref="StreamingContext.ReceiverStream"/>: the class to derive from.</summary>
/// <remarks>Elements go to a log in the checkpoint, from which batches read them; what is in the log comes once, whatever ends the process.</remarks>
/// <typeparam name="T">Type of the elements: one that the engine can encode.</typeparam>
public abstract class StreamReceiver<T>
{
    /// <summary>Runs in the driver, in the background, from the context's start to its end. What it throws ends the context, after the batches with what came before.</summary>
    /// <param name="store">Takes the elements.</param>
    /// <param name="stop">The context stops.</param>
    protected internal abstract Task ReceiveAsync(ReceiverStore<T> store, CancellationToken stop);
}

/// <summary>Takes the elements of a receiver. Thread-safe.</summary>
/// <typeparam name="T">Type of the elements.</typeparam>
public sealed class ReceiverStore<T>
{
    private readonly ReceivedLog _log;

    internal ReceiverStore(ReceivedLog log) => _log = log;

    /// <summary>Stores an element. Waits while too much is there that no batch has read (<see cref="ReceiverOptions.MaxUnreadBytes"/>), and until the
    /// element is on the disk: then its sender may be told.</summary>
    /// <remarks>Calls at the same time share one wait for the disk.</remarks>
    /// <param name="item">The element.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task StoreAsync(T item, CancellationToken cancellationToken = default) =>
        await (await _log.AppendAsync(Encode(item), cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>Stores elements, with one wait for the disk. If the process ends meanwhile the first of them may be stored, and the others not.</summary>
    /// <inheritdoc cref="StoreAsync(T, CancellationToken)"/>
    /// <param name="items">The elements.</param>
    public async Task StoreAsync(IEnumerable<T> items, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        var kept = Task.CompletedTask;
        foreach (var item in items) kept = await _log.AppendAsync(Encode(item), cancellationToken).ConfigureAwait(false);
        await kept.ConfigureAwait(false);
    }

    private static byte[] Encode(T item)
    {
        using var writer = new BlockWriter(256);
        Codec<T>.Default.Write(writer, [item]);
        return writer.Written.ToArray();
    }
}

/// <summary>Runs a receiver of the program.</summary>
internal sealed class ProgramReceiver<T>(StreamReceiver<T> receiver) : Receiver
{
    public override Task RunAsync(ReceivedLog log, CancellationToken stop) => receiver.ReceiveAsync(new ReceiverStore<T>(log), stop);

    public static T Decode(ReceivedRecord record)
    {
        var reader = new BlockReader(record.Bytes.Span);
        var items = new T[1];
        Codec<T>.Default.Read(ref reader, items);
        return items[0];
    }
}
