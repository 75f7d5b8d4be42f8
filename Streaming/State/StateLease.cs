using Dataflow.Files;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>The state of a partition, for as long as a task works with it: as it was after the batch before.</summary>
/// <typeparam name="TState">Its kind.</typeparam>
internal sealed class StateLease<TState> : IDisposable where TState : PartitionState
{
    // A file goes when none of its changes is needed any more: what is large has one of its own.
    private const long MostBytesOfChanges = 4 << 20;

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
        var file = StateChain.NameOf(_batch.Number, _partition, _attempt, StateFileKind.Part, _parts++);
        State.PutAway(PathOf(file), StateFileKind.Part, _context);
        _batch.Figures.Files.Add(file);
        State.EndBatch();
    }

    /// <summary>Writes down how the state is after the batch: nothing that follows from it may be given before.</summary>
    public void Save()
    {
        var chain = _batch.Chains[_partition];
        var tip = chain.Length == 0 ? "" : chain[^1];
        var sizes = _batch.IsSnapshot ? SizesOf(chain) : [];

        // Changes that are few beside the whole are worth more files.
        var kind = State.Choose(sizes.Length > 0 && sizes.Skip(1).Sum() * 2 >= sizes[0], _batch.MostBytes);
        if (State.HasChanged || _parts > 0 || (kind != StateFileKind.Delta && chain.Length > 1))
        {
            var merged = kind == StateFileKind.Delta && _parts == 0 ? MergeableOf(sizes) : 0;
            if (merged > 1) kind = StateFileKind.Merged;

            // Few changes are little beside what a file costs: they are written behind those of the batch before, where that was this object.
            var changes = kind == StateFileKind.Delta && _parts == 0 && State.Changes is { } last && StateFile.Split(tip).Path == last.File ? last : (File: "", End: 0);
            tip = changes.End > 0 ? StateFile.At(changes.File, changes.End) : StateChain.NameOf(_batch.Number, _partition, _attempt, kind, merged);
            State.Changes = null;
            if (kind is StateFileKind.Run or StateFileKind.Base)
            {
                State.PutAway(PathOf(tip), kind, _context);
            }
            else
            {
                var bytes = Write(PathOf(tip), kind == StateFileKind.Snapshot, chain[^(kind == StateFileKind.Merged ? merged : 0)..]);
                if (kind == StateFileKind.Delta && changes.End + bytes < MostBytesOfChanges && StateFile.CanContinue(_batch.Folder)) State.Changes = (StateFile.Split(tip).Path, changes.End + bytes);
            }
            _batch.Figures.Files.Add(tip);
        }
        State.Tip = tip;
    }

    // Of what is not put away, the oldest first.
    private long[] SizesOf(string[] chain)
    {
        var system = FileSystems.For(_batch.Folder);
        string[] files = [.. chain.SkipWhile(StateChain.IsPutAway)];
        var sizes = new long[files.Length];
        for (var i = 0; i < files.Length; i++)
        {
            var (path, offset) = StateFile.Split(files[i]);
            var end = i + 1 < files.Length && StateFile.Split(files[i + 1]) is var next && next.Path == path ? next.Offset : system.Find(PathOf(path))?.Length ?? offset;
            sizes[i] = end - offset;
        }
        return sizes;
    }

    // How many of the newest files of changes are made one: each that is not larger than all behind it. So there are few files, and what changed is written again a few times only.
    private static int MergeableOf(long[] sizes)
    {
        var (count, bytes) = (0, 0L);
        for (var i = sizes.Length - 1; i > 0 && (count == 0 || sizes[i] <= bytes); i--)
        {
            bytes += sizes[i];
            count++;
        }
        return count;
    }

    // With what files before have, which it takes the place of. Gives its bytes.
    private long Write(string path, bool all, string[] before)
    {
        using var file = new StateFile.Writer(path);
        if (!State.HasNewestFirst) foreach (var older in before) Copy(older, file, []);
        State.Write(file, all, _context);
        if (State.HasNewestFirst)
        {
            foreach (var older in before.Reverse())
            {
                // What came before a span was dropped is not there any more.
                Copy(older, file, [.. file.DroppedSpans]);
            }
        }
        file.Commit(State.IsDurable);
        return file.Position;
    }

    private void Copy(string from, StateFile.Writer to, HashSet<long> gone)
    {
        foreach (var (kind, span, bytes) in StateFile.Read(PathOf(from)))
        {
            _context.ThrowIfCancelled();
            if (!gone.Contains(span)) to.Write(kind, span, bytes.Span);
        }
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
