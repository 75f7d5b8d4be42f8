using Dataflow.Files;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>The state of a partition, for as long as a task works with it: as it was after the batch before.</summary>
/// <typeparam name="TState">Its kind.</typeparam>
internal sealed class StateLease<TState> : IDisposable where TState : PartitionState
{
    private readonly StateBatch _batch;
    private readonly int _partition;
    private readonly TaskContext _context;
    private readonly StateHandle<TState>? _handle;
    private bool _isDisposed;

    private StateLease(StateBatch batch, int partition, TaskContext context, TState state, StateHandle<TState>? handle)
    {
        (_batch, _partition, _context, State, _handle) = (batch, partition, context, state, handle);
        state.Begin();

        // Until it is saved it is as no file says: whoever finds it so, after a failure, makes it anew.
        state.Tip = "?";
    }

    /// <summary>The state.</summary>
    public TState State { get; }

    /// <summary>Takes it where the executor keeps it; where it has none, or one of another attempt, it is made from its files.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="partition">Which partition.</param>
    /// <param name="load">Makes it from the files of a chain below a folder, the oldest first.</param>
    /// <param name="context">The task.</param>
    public static StateLease<TState> Take(StateBatch batch, int partition, Func<string, string[], TaskContext, TState> load, TaskContext context)
    {
        var chain = batch.Chains[partition];
        var tip = chain.Length == 0 ? "" : chain[^1];
        var key = ExecutorState.KeyOf(batch.Name, partition);
        var states = context.Services.State;
        if (states.TryGet<TState>(key) is { } here)
        {
            var isUsable = here.Value.TryUse();
            if (isUsable && here.Value.Tip == tip) return new StateLease<TState>(batch, partition, context, here.Value, here);
            if (isUsable) here.Value.EndUse();
            here.Dispose();

            // In use: a copy of this task works with it.
            if (!isUsable) return Own();
            states.Remove(key);
        }
        var made = states.GetOrCreate(key, 0, Load, LossRule.Rebuild);
        if (made.Value.TryUse())
        {
            if (made.Value.Tip == tip) return new StateLease<TState>(batch, partition, context, made.Value, made);
            made.Value.EndUse();
        }
        made.Dispose();
        return Own();

        StateLease<TState> Own()
        {
            var own = Load();
            own.TryUse();
            return new StateLease<TState>(batch, partition, context, own, null);
        }

        TState Load()
        {
            var state = load(batch.Folder, chain, context);
            state.Tip = tip;
            return state;
        }
    }

    /// <summary>Writes down how the state is after the batch: nothing that follows from it may be given before.</summary>
    public void Save()
    {
        var chain = _batch.Chains[_partition];
        var tip = chain.Length == 0 ? "" : chain[^1];
        var all = _batch.IsSnapshot || State.IsSparse;
        if (State.HasChanged || (all && chain.Length > 1))
        {
            tip = $"{_batch.BatchFolder}/{_partition:D4}-{Guid.NewGuid().ToString("N")[..12]}.{(all ? "snapshot" : "delta")}";
            State.Write(FilePath.Combine(_batch.Folder, tip), all, _context);
        }
        State.Tip = tip;
    }

    /// <summary>Gives it back.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        State.EndUse();
        if (_handle is null) State.Dispose();
        _handle?.Dispose();
    }
}
