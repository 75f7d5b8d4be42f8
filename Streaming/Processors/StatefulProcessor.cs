namespace Dataflow.Streaming;

/// <summary>Sees to groups, with state and timers of its own: <c>frame.GroupByKey(...).TransformWithState(() => new Sessions())</c>.</summary>
/// <remarks>One is made for each task, and one by the driver when the verb is called, of which only <see cref="Init"/> is called, to learn what it keeps. Fields of it are no state:
/// they are gone when the task ends. It must do the same when a batch runs again: it uses the times that it is given, and no clock, chance or outside world.</remarks>
/// <typeparam name="TKey">The key of groups.</typeparam>
/// <typeparam name="TRow">A row.</typeparam>
/// <typeparam name="TOut">The rows that it gives: a record, a tuple, or a plain value, whose column is called <c>value</c>.</typeparam>
public abstract class StatefulProcessor<TKey, TRow, TOut>
{
    /// <summary>Says what is kept of each group: <c>_pages = handle.ListState&lt;string&gt;("pages")</c>. The same each time.</summary>
    /// <param name="handle">Makes what values are kept in.</param>
    public abstract void Init(ProcessorHandle handle);

    /// <summary>A group has rows in a batch.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="rows">All of its rows in the batch; can be gone through once.</param>
    /// <param name="timers">The times of the batch, and timers of the group.</param>
    public abstract IEnumerable<TOut> HandleRows(TKey key, IEnumerable<TRow> rows, GroupTimers timers);

    /// <summary>A timer's time has come, which is gone with that. Called after the rows of the batch.</summary>
    /// <param name="key">The group's key.</param>
    /// <param name="time">The timer.</param>
    /// <param name="timers">The times of the batch, and other timers of the group.</param>
    public virtual IEnumerable<TOut> HandleExpiredTimer(TKey key, DateTimeOffset time, GroupTimers timers) => [];

    /// <summary>The task ends: gives back what <see cref="Init"/> opened.</summary>
    public virtual void Close() { }
}

/// <summary>Sees to groups, some of which begin with rows of a frame that is no stream.</summary>
/// <typeparam name="TKey">The key of groups.</typeparam>
/// <typeparam name="TRow">A row.</typeparam>
/// <typeparam name="TOut">The rows that it gives.</typeparam>
/// <typeparam name="TInitial">A row of that frame.</typeparam>
public abstract class StatefulProcessor<TKey, TRow, TOut, TInitial> : StatefulProcessor<TKey, TRow, TOut>
{
    /// <summary>A group begins: called in the first batch of a query, for each row of the frame, before rows of the stream are seen to.</summary>
    /// <param name="key">The group's key.</param>
    /// <param name="initial">The row.</param>
    /// <param name="timers">The times of the batch, and timers of the group.</param>
    public abstract void HandleInitialState(TKey key, TInitial initial, GroupTimers timers);
}

/// <summary>How a <see cref="StatefulProcessor{TKey, TRow, TOut}"/> is called.</summary>
public sealed record ProcessorOptions
{
    /// <summary>What timers go by: the clock, or the watermark, for which the frame needs <c>WithWatermark</c>, and rows that come too late are left out.</summary>
    public GroupTimeout Timers { get; init; }
}
