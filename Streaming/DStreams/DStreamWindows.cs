namespace Dataflow.Streaming.DStreams;

// Verbs over the elements of several intervals.
public abstract partial class DStream<T>
{
    /// <summary>The elements of the last intervals together.</summary>
    /// <remarks>Keeps this stream's Rdds for as long as the window is.</remarks>
    /// <param name="length">How long the window is: a multiple of what this stream slides by.</param>
    /// <param name="slide">How often there is a result: another multiple; null for that itself.</param>
    /// <exception cref="StreamingException"><c>WINDOW_OF_INTERVALS</c>: one of them is no multiple.</exception>
    public DStream<T> Window(TimeSpan length, TimeSpan? slide = null)
    {
        var by = slide ?? SlideDuration;
        Streaming.CheckWindow(this, length, by);
        return new WindowedDStream<T>(Keeping(), length, by);
    }

    /// <summary>All elements of the last intervals merged into one; none if there is none.</summary>
    /// <inheritdoc cref="Window"/>
    /// <param name="merge">Associative and commutative.</param>
    public DStream<T> ReduceByWindow(Func<T, T, T> merge, TimeSpan length, TimeSpan? slide = null) => Reduce(merge).Window(length, slide).Reduce(merge);

    /// <summary>As <c>ReduceByWindow(merge, ...)</c>, from the result before: merges what has come, and takes away what has left the window.</summary>
    /// <remarks>Takes time by what comes and goes, not by the length of the window. The result is state: it is written to the checkpoint.</remarks>
    /// <inheritdoc cref="ReduceByWindow(Func{T, T, T}, TimeSpan, TimeSpan?)"/>
    /// <param name="takeAway">Undoes a merge: <c>takeAway(merge(a, b), b)</c> is <c>a</c>.</param>
    public DStream<T> ReduceByWindow(Func<T, T, T> merge, Func<T, T, T> takeAway, TimeSpan length, TimeSpan? slide = null)
    {
        ArgumentNullException.ThrowIfNull(merge);
        ArgumentNullException.ThrowIfNull(takeAway);
        return Map(static item => (Key: 0, Value: item)).ReduceByKeyAndWindow(merge, takeAway, length, slide, partitions: 1).Derive<T>("Map", static rdd => rdd.Values());
    }

    /// <summary>How many elements the last intervals have.</summary>
    /// <inheritdoc cref="ReduceByWindow(Func{T, T, T}, Func{T, T, T}, TimeSpan, TimeSpan?)" path="/remarks"/>
    /// <inheritdoc cref="Window" path="/exception"/>
    /// <param name="length">As for <see cref="Window"/>.</param>
    /// <param name="slide">As for <see cref="Window"/>.</param>
    public DStream<long> CountByWindow(TimeSpan length, TimeSpan? slide = null) => Count().ReduceByWindow(static (a, b) => a + b, static (a, b) => a - b, length, slide);

    /// <summary>How often each value comes in the last intervals.</summary>
    /// <inheritdoc cref="CountByWindow"/>
    /// <param name="partitions">Of the result; 0 takes the default parallelism.</param>
    public DStream<(T Key, long Value)> CountByValueAndWindow(TimeSpan length, TimeSpan? slide = null, int partitions = 0) => Map(static value => (Key: value, Value: 1L))
        .ReduceByKeyAndWindow(static (a, b) => a + b, static (a, b) => a - b, length, slide, partitions, static pair => pair.Value != 0);
}

/// <summary>The Rdds of several times as one.</summary>
internal sealed class WindowedDStream<T>(DStream<T> parent, TimeSpan length, TimeSpan slide) : DStream<T>(parent.Streaming, $"Window {length}", slide, [parent])
{
    internal override TimeSpan LookBack => length;

    internal override Rdd<T>? Compute(DateTimeOffset time)
    {
        var rdds = parent.Slice(time - length + parent.SlideDuration, time);
        return rdds.Count == 1 ? rdds[0] : Streaming.Context.Union(rdds);
    }
}
