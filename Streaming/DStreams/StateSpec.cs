namespace Dataflow.Streaming.DStreams;

/// <summary>The state of a key, in the function of <c>MapWithState</c>.</summary>
/// <typeparam name="TState">Type of the state. A value that the function has changed counts only when it was given to <see cref="Update"/>.</typeparam>
public sealed class KeyState<TState>
{
    private Optional<TState> _value;

    internal KeyState(Optional<TState> value, bool isTimingOut) => (_value, IsTimingOut) = (value, isTimingOut);

    /// <summary>Whether the key has state.</summary>
    public bool Exists => _value.HasValue;

    /// <summary>Whether the key times out, as nothing came for it: its state goes after this call.</summary>
    public bool IsTimingOut { get; }

    /// <summary>The state.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public TState Value => Exists ? _value.Value : throw new InvalidOperationException("The key has no state: look at Exists, or ask by ValueOr.");

    internal Optional<TState> Current => _value;

    /// <summary>The state, or something else if there is none.</summary>
    /// <param name="other">Given if there is none.</param>
    public TState ValueOr(TState other) => _value.Or(other);

    /// <summary>Sets the state.</summary>
    /// <param name="value">The state from now on.</param>
    /// <exception cref="InvalidOperationException">The key times out.</exception>
    public void Update(TState value)
    {
        if (IsTimingOut) throw new InvalidOperationException("The key times out: its state goes, and can't be set. Look at IsTimingOut first.");
        _value = new(true, value);
    }

    /// <summary>Forgets the key.</summary>
    public void Remove() => _value = default;
}

/// <summary>What <c>MapWithState</c> does with each pair and the state of its key.</summary>
/// <typeparam name="TKey">Type of the keys.</typeparam>
/// <typeparam name="TValue">Type of the values.</typeparam>
/// <typeparam name="TState">Type of the state.</typeparam>
/// <typeparam name="TMapped">Type of what is given.</typeparam>
public sealed record StateSpec<TKey, TValue, TState, TMapped>
{
    /// <summary>Begins with a function.</summary>
    /// <param name="function">Gets the time of the batch, a key, a value (none if the key times out) and the key's state; gives something for it, or none.</param>
    public StateSpec(Func<DateTimeOffset, TKey, Optional<TValue>, KeyState<TState>, Optional<TMapped>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        Function = function;
    }

    /// <summary>Begins with a function that always gives something.</summary>
    /// <param name="function">Gets a key, a value (none if the key times out) and the key's state.</param>
    public StateSpec(Func<TKey, Optional<TValue>, KeyState<TState>, TMapped> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        Function = (_, key, value, state) => new(true, function(key, value, state));
    }

    /// <summary>After how long without a pair a key times out; null for never.</summary>
    public TimeSpan? Timeout { get; init => field = value is null || value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(Timeout), value, "It is more than zero."); }

    /// <summary>State that keys begin with; null for none.</summary>
    public Rdd<(TKey Key, TState Value)>? InitialState { get; init; }

    /// <summary>Of the state; 0 takes the default parallelism.</summary>
    public int Partitions { get; init; }

    internal Func<DateTimeOffset, TKey, Optional<TValue>, KeyState<TState>, Optional<TMapped>> Function { get; }
}
