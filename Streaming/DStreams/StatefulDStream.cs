namespace Dataflow.Streaming.DStreams;

/// <summary>What <c>MapWithState</c> gave for each pair.</summary>
/// <typeparam name="TKey">Type of the keys.</typeparam>
/// <typeparam name="TState">Type of the state.</typeparam>
/// <typeparam name="TMapped">Type of what is given.</typeparam>
public sealed class MappedWithStateDStream<TKey, TState, TMapped> : DStream<TMapped>
{
    private readonly DStream<(TKey Key, (Optional<TState> State, long Touched, TMapped[] Mapped) Value)> _states;

    internal MappedWithStateDStream(DStream<(TKey Key, (Optional<TState> State, long Touched, TMapped[] Mapped) Value)> states)
        : base(states.Streaming, "Mapped", states.SlideDuration, [states]) => _states = states;

    /// <summary>The state of all keys, at each time.</summary>
    public DStream<(TKey Key, TState Value)> StateSnapshots() => _states.Derive(
        "StateSnapshots", rdd => rdd.Filter(static pair => pair.Value.State.HasValue).MapValues(static value => value.State.Value));

    internal override Rdd<TMapped>? Compute(DateTimeOffset time) => _states.RddAt(time)?.FlatMap(static pair => pair.Value.Mapped);
}

/// <summary>For each key its state, when something came for it last, and what the function gave for it in this batch.</summary>
internal sealed class StatefulDStream<TKey, TValue, TState, TMapped>(DStream<(TKey Key, TValue Value)> parent, StateSpec<TKey, TValue, TState, TMapped> spec, Partitioner<TKey> partitioner)
    : StateDStream<(TKey Key, (Optional<TState> State, long Touched, TMapped[] Mapped) Value)>(parent.Streaming, "MapWithState", parent.SlideDuration, parent)
{
    internal override Rdd<(TKey Key, (Optional<TState> State, long Touched, TMapped[] Mapped) Value)>? Compute(DateTimeOffset time)
    {
        if (parent.RddAt(time) is not { } news) return null;
        var before = Before(time) ?? Initial(time) ?? Streaming.Context.Empty<(TKey Key, (Optional<TState> State, long Touched, TMapped[] Mapped) Value)>();
        return before.CoGroup(news, partitioner).MapPartitions(Mapping(spec.Function, time, spec.Timeout?.Ticks ?? long.MaxValue), keepsPartitioner: true);
    }

    protected override Rdd<(TKey Key, (Optional<TState> State, long Touched, TMapped[] Mapped) Value)> StateOf(Rdd<(TKey Key, (Optional<TState> State, long Touched, TMapped[] Mapped) Value)> rdd) =>
        rdd.Filter(static pair => pair.Value.State.HasValue).MapValues(static value => (value.State, value.Touched, Array.Empty<TMapped>()));

    private Rdd<(TKey Key, (Optional<TState> State, long Touched, TMapped[] Mapped) Value)>? Initial(DateTimeOffset time)
    {
        var touched = (time - SlideDuration).UtcTicks;
        return spec.InitialState?.MapValues(state => (new Optional<TState>(true, state), touched, Array.Empty<TMapped>()));
    }

    private static Func<
        IEnumerable<(TKey Key, (IReadOnlyList<(Optional<TState> State, long Touched, TMapped[] Mapped)> Left, IReadOnlyList<TValue> Right) Value)>,
        IEnumerable<(TKey Key, (Optional<TState> State, long Touched, TMapped[] Mapped) Value)>> Mapping(
        Func<DateTimeOffset, TKey, Optional<TValue>, KeyState<TState>, Optional<TMapped>> function, DateTimeOffset time, long timeout) => groups => Map(groups, function, time, timeout);

    private static IEnumerable<(TKey Key, (Optional<TState> State, long Touched, TMapped[] Mapped) Value)> Map(
        IEnumerable<(TKey Key, (IReadOnlyList<(Optional<TState> State, long Touched, TMapped[] Mapped)> Left, IReadOnlyList<TValue> Right) Value)> groups,
        Func<DateTimeOffset, TKey, Optional<TValue>, KeyState<TState>, Optional<TMapped>> function, DateTimeOffset time, long timeout)
    {
        var mapped = new List<TMapped>();
        foreach (var (key, (entries, values)) in groups)
        {
            var (state, touched) = entries.Count > 0 ? (entries[0].State, entries[0].Touched) : (default, 0);
            mapped.Clear();
            if (values.Count > 0)
            {
                touched = time.UtcTicks;
                foreach (var value in values)
                {
                    var now = new KeyState<TState>(state, isTimingOut: false);
                    if (function(time, key, new(true, value), now) is { HasValue: true } result) mapped.Add(result.Value);
                    state = now.Current;
                }
            }
            else if (state.HasValue && time.UtcTicks - touched >= timeout)
            {
                if (function(time, key, default, new KeyState<TState>(state, isTimingOut: true)) is { HasValue: true } result) mapped.Add(result.Value);
                state = default;
            }
            if (state.HasValue || mapped.Count > 0) yield return (key, (state, touched, [.. mapped]));
        }
    }
}
