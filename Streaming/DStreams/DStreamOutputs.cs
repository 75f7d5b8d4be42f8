using System.Globalization;

namespace Dataflow.Streaming.DStreams;

/// <summary>Something that is done with the Rdd of each time.</summary>
internal interface IDStreamOutput
{
    DStream Stream { get; }

    Task RunAsync(DateTimeOffset time, CancellationToken cancellation);
}

internal sealed class DStreamOutput<T>(DStream<T> stream, Func<Rdd<T>, DateTimeOffset, CancellationToken, Task> act) : IDStreamOutput
{
    public DStream Stream => stream;

    public Task RunAsync(DateTimeOffset time, CancellationToken cancellation) => stream.RddAt(time) is { } rdd ? act(rdd, time, cancellation) : Task.CompletedTask;
}

// Outputs: what has streams computed.
public abstract partial class DStream<T>
{
    /// <summary>Does something with each Rdd: an action on it, mostly. Outputs run one after the other, in the order in which they were asked for, batch after batch.</summary>
    /// <remarks>At least once: a batch that was under way when the process ended runs again after a restart with the checkpoint, with the same elements and the same time.</remarks>
    /// <param name="act">Runs in the driver. What it throws ends the context.</param>
    public void ForeachRdd([RunsInDriver] Func<Rdd<T>, DateTimeOffset, Task> act)
    {
        ArgumentNullException.ThrowIfNull(act);
        Output("ForeachRdd", (rdd, time, _) => act(rdd, time));
    }

    /// <inheritdoc cref="ForeachRdd(Func{Rdd{T}, DateTimeOffset, Task})"/>
    public void ForeachRdd([RunsInDriver] Func<Rdd<T>, Task> act)
    {
        ArgumentNullException.ThrowIfNull(act);
        Output("ForeachRdd", (rdd, _, _) => act(rdd));
    }

    /// <inheritdoc cref="ForeachRdd(Func{Rdd{T}, DateTimeOffset, Task})"/>
    public void ForeachRdd([RunsInDriver] Action<Rdd<T>, DateTimeOffset> act)
    {
        ArgumentNullException.ThrowIfNull(act);
        Output("ForeachRdd", (rdd, time, cancellation) => Task.Run(() => act(rdd, time), cancellation));
    }

    /// <inheritdoc cref="ForeachRdd(Func{Rdd{T}, DateTimeOffset, Task})"/>
    public void ForeachRdd([RunsInDriver] Action<Rdd<T>> act)
    {
        ArgumentNullException.ThrowIfNull(act);
        Output("ForeachRdd", (rdd, _, cancellation) => Task.Run(() => act(rdd), cancellation));
    }

    /// <summary>Prints the first elements of each Rdd, under its time.</summary>
    /// <param name="count">How many at most.</param>
    /// <param name="output">Where to; null for the console.</param>
    public void Print(int count = 10, TextWriter? output = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Output("Print", async (rdd, time, cancellation) =>
        {
            var items = await rdd.TakeAsync(count + 1, cancellation).ConfigureAwait(false);
            var lines = items.Take(count).Select(item => Convert.ToString(item, CultureInfo.InvariantCulture)).Concat(items.Length > count ? ["..."] : []);
            var title = string.Create(CultureInfo.InvariantCulture, $"{time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}");
            await (output ?? Console.Out).WriteAsync(string.Concat(lines.Prepend(title).Select(line => $"{line}\n"))).ConfigureAwait(false);
        });
    }

    /// <summary>Writes each Rdd as a folder of text files, <c>PREFIX-MILLISECONDS.SUFFIX</c>, the time being that since 1970.</summary>
    /// <remarks>A folder appears whole, and takes the place of an earlier attempt: exactly once.</remarks>
    /// <param name="prefix">Begins the path.</param>
    /// <param name="suffix">Ends it, behind a point; null for nothing.</param>
    public void SaveAsTextFiles(string prefix, string? suffix = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(prefix);
        var end = string.IsNullOrEmpty(suffix) ? "" : $".{suffix}";
        Output("SaveAsTextFiles", (rdd, time, cancellation) =>
            rdd.SaveAsTextAsync(string.Create(CultureInfo.InvariantCulture, $"{prefix}-{time.ToUnixTimeMilliseconds()}{end}"), overwrite: true, null, cancellation));
    }

    private void Output(string operation, Func<Rdd<T>, DateTimeOffset, CancellationToken, Task> act) => Streaming.Add(operation, new DStreamOutput<T>(this, act));
}
