namespace Dataflow.Streaming.DStreams;

/// <summary>A recipe for one Rdd each interval: the untyped part, which the schedule reads.</summary>
public abstract class DStream
{
    private protected DStream(StreamingContext streaming, string operation, TimeSpan slide, IReadOnlyList<DStream> parents)
    {
        (Streaming, Operation, SlideDuration, Parents) = (streaming, operation, slide, parents);
        Id = streaming.Add(this);
    }

    /// <summary>What it belongs to.</summary>
    public StreamingContext Streaming { get; }

    /// <summary>How far its Rdds are apart in time: the interval, or what a window slides by.</summary>
    public TimeSpan SlideDuration { get; }

    /// <summary>A number of its own.</summary>
    internal int Id { get; }

    internal string Operation { get; }

    internal IReadOnlyList<DStream> Parents { get; }

    /// <summary>How long its Rdds may be asked for.</summary>
    internal TimeSpan Kept { get; private set; }

    /// <summary>How far before a time it reads its parents.</summary>
    internal virtual TimeSpan LookBack => TimeSpan.Zero;

    /// <summary>What has to be the same when a checkpoint goes on.</summary>
    internal string Shape => $"{Id} {Operation}({string.Join(", ", Parents.Select(parent => parent.Id))}) of {ElementType.Name} every {SlideDuration}";

    internal abstract Type ElementType { get; }

    internal void Require(TimeSpan kept)
    {
        if (kept > Kept) Kept = kept;
        foreach (var parent in Parents) parent.Require(Kept + LookBack);
    }

    /// <summary>Lets go of Rdds that nobody asks for any more.</summary>
    internal abstract void Forget(DateTimeOffset now);

    /// <summary>Whether it has an Rdd at a time.</summary>
    internal bool HasTime(DateTimeOffset time) => time > Streaming.Zero && (time - Streaming.Zero).Ticks % SlideDuration.Ticks == 0;
}

/// <summary>
/// A stream as one Rdd each interval. Verbs are those of <see cref="Rdd{T}"/>, for each Rdd; windows and state reach over intervals. Nothing is read before
/// <see cref="StreamingContext.Start"/>, and only what an output (<see cref="ForeachRdd(Func{Rdd{T}, DateTimeOffset, Task})"/>, <c>Print</c>, <c>SaveAsTextFiles</c>) reads is computed.
/// </summary>
/// <typeparam name="T">Type of the elements.</typeparam>
public abstract partial class DStream<T> : DStream
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, Rdd<T>> _rdds = [];
    private StorageLevel _level = StorageLevel.None;

    private protected DStream(StreamingContext streaming, string operation, TimeSpan slide, IReadOnlyList<DStream> parents) : base(streaming, operation, slide, parents) { }

    internal override Type ElementType => typeof(T);

    /// <summary>Keeps each Rdd in memory, and on disk what has no room there, for as long as it is needed: for streams that several outputs read. Windows do so with what they read.</summary>
    /// <returns>This stream.</returns>
    public DStream<T> Cache() => Persist(StorageLevel.MemoryAndDisk);

    /// <summary>Keeps each Rdd for as long as it is needed.</summary>
    /// <param name="level">Where.</param>
    /// <returns>This stream.</returns>
    public DStream<T> Persist(StorageLevel level)
    {
        Streaming.CheckNotStarted();
        _level = level;
        return this;
    }

    /// <summary>The Rdds of some intervals that are still remembered (<see cref="StreamingContext.Remember"/>), oldest first.</summary>
    /// <param name="from">The first time.</param>
    /// <param name="to">The last time.</param>
    public IReadOnlyList<Rdd<T>> Slice(DateTimeOffset from, DateTimeOffset to)
    {
        var rdds = new List<Rdd<T>>();
        for (var time = Streaming.FirstTime(this, from); time <= to; time += SlideDuration)
        {
            if (RddAt(time) is { } rdd) rdds.Add(rdd);
        }
        return rdds;
    }

    /// <summary>The Rdd of a time; null if it has none then.</summary>
    internal Rdd<T>? RddAt(DateTimeOffset time)
    {
        if (!HasTime(time)) return null;
        lock (_lock)
        {
            if (_rdds.TryGetValue(time.UtcTicks, out var there)) return there;
            if (Compute(time) is not { } rdd) return null;
            if (_level.IsKept && rdd.StorageLevel == StorageLevel.None) rdd.Persist(_level);
            _rdds[time.UtcTicks] = rdd;
            return rdd;
        }
    }

    /// <summary>Says that an Rdd is another one from now on, which has the same elements.</summary>
    internal void Replace(DateTimeOffset time, Rdd<T> rdd)
    {
        lock (_lock)
        {
            _rdds.Remove(time.UtcTicks, out var before);
            before?.Unpersist();
            if (_level.IsKept) rdd.Persist(_level);
            _rdds[time.UtcTicks] = rdd;
        }
    }

    internal override void Forget(DateTimeOffset now)
    {
        lock (_lock)
        {
            foreach (var ticks in _rdds.Keys.Where(ticks => ticks <= (now - Kept).UtcTicks).ToArray())
            {
                _rdds.Remove(ticks, out var rdd);
                if (_level.IsKept) rdd!.Unpersist();
            }
        }
    }

    /// <summary>Makes the Rdd of a time.</summary>
    internal abstract Rdd<T>? Compute(DateTimeOffset time);

    // Keeps Rdds that a window reads again and again, unless the program said how.
    internal DStream<T> Keeping()
    {
        if (!_level.IsKept) _level = StorageLevel.MemoryAndDisk;
        return this;
    }
}

/// <summary>Makes its Rdd of those of its parents at the same time.</summary>
internal sealed class DerivedDStream<T>(DStream first, string operation, IReadOnlyList<DStream> parents, Func<DateTimeOffset, Rdd<T>?> make)
    : DStream<T>(first.Streaming, operation, first.SlideDuration, parents)
{
    internal override Rdd<T>? Compute(DateTimeOffset time) => make(time);
}
