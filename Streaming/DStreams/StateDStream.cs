namespace Dataflow.Streaming.DStreams;

/// <summary>A stream whose Rdds are made of the one before: written to the checkpoint now and then, where its lineage ends.</summary>
internal interface IStateDStream
{
    DStream Stream { get; }

    /// <summary>Makes the Rdds of some times, without computing them.</summary>
    void Prepare(DateTimeOffset from, DateTimeOffset to);

    /// <summary>Writes the Rdd of a time, and reads it from there from now on.</summary>
    Task SaveAsync(DateTimeOffset time, string path, CancellationToken cancellation);

    /// <summary>Reads the Rdd of a time from where it was written.</summary>
    void Restore(DateTimeOffset time, string path);
}

/// <inheritdoc cref="IStateDStream"/>
/// <typeparam name="T">What it gives.</typeparam>
internal abstract class StateDStream<T> : DStream<T>, IStateDStream
{
    private protected StateDStream(StreamingContext streaming, string operation, TimeSpan slide, DStream parent) : base(streaming, operation, slide, [parent])
    {
        Keeping();
        streaming.AddState(this);
    }

    public DStream Stream => this;

    public void Prepare(DateTimeOffset from, DateTimeOffset to)
    {
        for (var time = Streaming.FirstTime(this, from); time <= to; time += SlideDuration) RddAt(time);
    }

    /// <summary>The last Rdd; null at the beginning.</summary>
    protected Rdd<T>? Before(DateTimeOffset time)
    {
        var before = time - SlideDuration;
        if (!HasTime(before)) return null;
        return RddAt(before) ?? throw new InvalidOperationException($"The state of {Shape} at {before:O} is gone. This is a mistake in Dataflow: please report it.");
    }

    /// <summary>What of an Rdd the next one needs.</summary>
    protected virtual Rdd<T> StateOf(Rdd<T> rdd) => rdd;

    public async Task SaveAsync(DateTimeOffset time, string path, CancellationToken cancellation)
    {
        if (RddAt(time) is not { } rdd) return;
        await StateOf(rdd).SaveAsObjectsAsync(path, overwrite: true, cancellation).ConfigureAwait(false);
        Restore(time, path);
    }

    public void Restore(DateTimeOffset time, string path) => Replace(time, Streaming.Context.ObjectFile<T>(path));
}

/// <summary>A value for each key, made of the one before and what has come.</summary>
internal sealed class UpdatedDStream<TKey, TValue, TState>(
    DStream<(TKey Key, TValue Value)> parent, Func<IReadOnlyList<TValue>, Optional<TState>, Optional<TState>> update, Rdd<(TKey Key, TState Value)>? initial, Partitioner<TKey> partitioner)
    : StateDStream<(TKey Key, TState Value)>(parent.Streaming, "UpdateStateByKey", parent.SlideDuration, parent)
{
    internal override Rdd<(TKey Key, TState Value)>? Compute(DateTimeOffset time)
    {
        if (parent.RddAt(time) is not { } news) return null;
        var before = Before(time) ?? initial ?? Streaming.Context.Empty<(TKey Key, TState Value)>();
        return before.CoGroup(news, partitioner).MapPartitions(Updating(update), keepsPartitioner: true);
    }

    // The function travels, and nothing of the stream with it.
    private static Func<IEnumerable<(TKey Key, (IReadOnlyList<TState> Left, IReadOnlyList<TValue> Right) Value)>, IEnumerable<(TKey Key, TState Value)>> Updating(
        Func<IReadOnlyList<TValue>, Optional<TState>, Optional<TState>> update) => groups => Update(groups, update);

    private static IEnumerable<(TKey Key, TState Value)> Update(
        IEnumerable<(TKey Key, (IReadOnlyList<TState> Left, IReadOnlyList<TValue> Right) Value)> groups, Func<IReadOnlyList<TValue>, Optional<TState>, Optional<TState>> update)
    {
        foreach (var (key, (states, values)) in groups)
        {
            var next = update(values, states.Count > 0 ? new(true, states[0]) : default);
            if (next.HasValue) yield return (key, next.Value);
        }
    }
}

/// <summary>The values of each key in a window, merged: from the window before, what has come and what has gone.</summary>
internal sealed class SlidingDStream<TKey, TValue>(
    DStream<(TKey Key, TValue Value)> parent, Func<TValue, TValue, TValue> merge, Func<TValue, TValue, TValue> takeAway, Func<(TKey Key, TValue Value), bool>? keep,
    TimeSpan length, TimeSpan slide, Partitioner<TKey> partitioner)
    : StateDStream<(TKey Key, TValue Value)>(parent.Streaming, $"ReduceByKeyAndWindow {length}", slide, parent)
{
    internal override TimeSpan LookBack => length + SlideDuration;

    internal override Rdd<(TKey Key, TValue Value)>? Compute(DateTimeOffset time)
    {
        var context = Streaming.Context;
        var before = Before(time) ?? context.Empty<(TKey Key, TValue Value)>();
        var gone = context.Union(parent.Slice(time - SlideDuration - length + parent.SlideDuration, time - length));
        var come = context.Union(parent.Slice(time - SlideDuration + parent.SlideDuration, time));
        return before.CoGroup(gone, come, partitioner).MapPartitions(Sliding(merge, takeAway, keep), keepsPartitioner: true);
    }

    private static Func<IEnumerable<(TKey Key, (IReadOnlyList<TValue> First, IReadOnlyList<TValue> Second, IReadOnlyList<TValue> Third) Value)>, IEnumerable<(TKey Key, TValue Value)>> Sliding(
        Func<TValue, TValue, TValue> merge, Func<TValue, TValue, TValue> takeAway, Func<(TKey Key, TValue Value), bool>? keep) => groups => Slide(groups, merge, takeAway, keep);

    private static IEnumerable<(TKey Key, TValue Value)> Slide(
        IEnumerable<(TKey Key, (IReadOnlyList<TValue> First, IReadOnlyList<TValue> Second, IReadOnlyList<TValue> Third) Value)> groups,
        Func<TValue, TValue, TValue> merge, Func<TValue, TValue, TValue> takeAway, Func<(TKey Key, TValue Value), bool>? keep)
    {
        foreach (var (key, (before, gone, come)) in groups)
        {
            TValue value;
            if (before.Count > 0)
            {
                value = before[0];
                if (gone.Count > 0) value = takeAway(value, gone.Aggregate(merge));
                if (come.Count > 0) value = merge(value, come.Aggregate(merge));
            }
            else if (come.Count > 0)
            {
                value = come.Aggregate(merge);
            }
            else
            {
                // Dropped by the condition before what it was made of left the window.
                continue;
            }
            if (keep is null || keep((key, value))) yield return (key, value);
        }
    }
}
