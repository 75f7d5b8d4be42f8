using Dataflow.Files;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>The state of a partition, for as long as a task works with it: as it was after the batch before.</summary>
/// <typeparam name="TState">Its kind.</typeparam>
internal sealed class StateLease<TState> : IDisposable where TState : PartitionState
{
    private const int MostFiles = 100;

    private readonly StateBatch _batch;
    private readonly int _partition;
    private readonly TaskContext _context;
    private readonly StateHandle<TState>? _handle;
    private readonly string _attempt = Guid.NewGuid().ToString("N")[..12];
    private int _parts;
    private bool _isDisposed;

    private StateLease(StateBatch batch, int partition, TaskContext context, TState state, StateHandle<TState>? handle)
    {
        (_batch, _partition, _context, State, _handle) = (batch, partition, context, state, handle);
        state.Memory!.Use(context, batch.MostBytes);
        state.Begin();
        state.IsDurable = batch.IsDurable;

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
            var memory = new StateMemory(context.Services);
            memory.Use(context, batch.MostBytes);
            var state = load(batch.Folder, chain, context);
            (state.Tip, state.Memory) = (tip, memory);
            return state;
        }
    }

    /// <summary>Puts what is in memory away if it takes too much; within a batch.</summary>
    public void MakeRoom()
    {
        if (!State.IsTooLarge(_batch.MostBytes)) return;
        var file = StateChain.NameOf(_batch.BatchFolder, _partition, _attempt, StateFileKind.Part, _parts++);
        State.PutAway(PathOf(file), StateFileKind.Part, _context);
        _batch.Figures.Files.Add(file);
        State.EndBatch();
    }

    /// <summary>Writes down how the state is after the batch: nothing that follows from it may be given before.</summary>
    public void Save()
    {
        var chain = _batch.Chains[_partition];
        var tip = chain.Length == 0 ? "" : chain[^1];
        var kind = State.Choose(_batch.IsSnapshot && IsWorthSnapshot(chain), _batch.MostBytes);
        if (State.HasChanged || _parts > 0 || (kind != StateFileKind.Delta && chain.Length > 1))
        {
            tip = StateChain.NameOf(_batch.BatchFolder, _partition, _attempt, kind, 0);
            if (kind is StateFileKind.Run or StateFileKind.Base) State.PutAway(PathOf(tip), kind, _context);
            else State.Write(PathOf(tip), kind == StateFileKind.Snapshot, _context);
            _batch.Figures.Files.Add(tip);
        }
        State.Tip = tip;
    }

    // Changes that are few beside the whole are worth a longer chain.
    private bool IsWorthSnapshot(string[] chain)
    {
        if (chain.Length >= MostFiles) return true;
        var system = FileSystems.For(_batch.Folder);
        var sizes = chain.SkipWhile(StateChain.IsPutAway).Select(file => system.Find(PathOf(file))?.Length ?? 0).ToArray();
        return sizes.Length > 0 && sizes.Skip(1).Sum() * 2 >= sizes[0];
    }

    private string PathOf(string file) => FilePath.Combine(_batch.Folder, file);

    /// <summary>Gives it back.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        State.EndBatch();
        State.EndUse();
        if (_handle is null) State.Dispose();
        _handle?.Dispose();
    }
}
