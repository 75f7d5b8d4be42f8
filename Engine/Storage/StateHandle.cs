namespace Dataflow.Storage;

/// <summary>A lease of one object of the <see cref="ExecutorState"/>. The object stays as it is until the last lease ends.</summary>
/// <typeparam name="T">The object's type.</typeparam>
public sealed class StateHandle<T> : IDisposable
{
    private readonly ExecutorState _state;
    private StateSlot? _slot;

    internal StateHandle(ExecutorState state, StateSlot slot)
    {
        _state = state;
        _slot = slot;
        Key = slot.Key;
        Version = slot.Version;
    }

    /// <summary>What it is called.</summary>
    public string Key { get; }

    /// <summary>Which version it is.</summary>
    public long Version { get; }

    /// <summary>The object. Other tasks have it too: what changes it must be thread-safe.</summary>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    public T Value => _slot is { } slot ? (T)slot.Value! : throw new ObjectDisposedException(Key, $"The lease of state '{Key}' has ended.");

    /// <summary>Ends the lease. Safe to call twice.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _slot, null) is { } slot) _state.EndLease(slot);
    }
}

/// <summary>What happens when an object of the <see cref="ExecutorState"/> is lost with its executor, and whether it may be dropped when
/// memory is short.</summary>
public enum LossRule
{
    /// <summary>The factory makes it anew from what it captured. May be dropped while nobody uses it.</summary>
    Rebuild,

    /// <summary>The factory reads it again from where it is stored (a checkpoint, the driver). May be dropped while nobody uses
    /// it.</summary>
    Reload,

    /// <summary>It can't be had again: the job fails. Never dropped.</summary>
    Fail,
}

/// <summary>An object of the <see cref="ExecutorState"/> came or went: what the driver knows as a location.</summary>
/// <param name="Key">What it is called.</param>
/// <param name="Version">Which version it is.</param>
/// <param name="Rule">What its loss means.</param>
/// <param name="IsHere">True when it came, false when it went.</param>
/// <param name="Bytes">What it is charged for.</param>
public sealed record StateUpdate(string Key, long Version, LossRule Rule, bool IsHere, long Bytes);

/// <summary>One version of one object, from the start of its making. Leases are counted under the lock of
/// <see cref="ExecutorState"/>.</summary>
internal sealed class StateSlot(string key, long version, LossRule rule, Type type)
{
    private readonly TaskCompletionSource _built = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Key { get; } = key;

    public long Version { get; } = version;

    public LossRule Rule { get; } = rule;

    public Type Type { get; } = type;

    /// <summary>The thread that makes it: waiting for oneself is found by it.</summary>
    public int Builder { get; } = Environment.CurrentManagedThreadId;

    public object? Value { get; set; }

    public long Bytes { get; set; }

    public MemoryConsumer? Charge { get; set; }

    /// <summary>Handles, waiters that will have one, and one for being kept.</summary>
    public int Leases { get; set; } = 1;

    public bool IsKept { get; set; }

    public Task Built => _built.Task;

    public void SetBuilt() => _built.TrySetResult();

    public void SetFailed(Exception exception)
    {
        _built.TrySetException(exception);

        // Seen here, so that a failure without waiters is no unobserved one.
        _ = _built.Task.Exception;
    }
}
