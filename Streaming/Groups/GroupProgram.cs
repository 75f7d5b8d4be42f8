using Dataflow.Streaming.Stored;

namespace Dataflow.Streaming.Groups;

/// <summary>What the program does with groups. Travels to executors.</summary>
/// <typeparam name="TKey">The key.</typeparam>
/// <typeparam name="TRow">A row.</typeparam>
/// <typeparam name="TOut">What comes of groups.</typeparam>
internal abstract class GroupProgram<TKey, TRow, TOut>
{
    /// <summary>What the program wrote, for errors and plans.</summary>
    public abstract string Verb { get; }

    /// <summary>When functions are called without rows.</summary>
    public abstract GroupTimeout Timeout { get; }

    /// <summary>Whether it gives new values of groups, which replace those before.</summary>
    public virtual bool GivesUpdates => false;

    /// <summary>What is kept, as text: <c>keeps value NAME=SHAPE; ...</c></summary>
    public abstract string Shape { get; }

    /// <summary>The names that things are kept under.</summary>
    public abstract GroupNames Names { get; }

    /// <summary>The functions, for one task.</summary>
    public abstract GroupFunctions<TKey, TRow, TOut> Open(GroupEntries entries);
}

/// <summary>What is called in one task, for one group after the other. What is kept of the group stands in the entries it was opened with.</summary>
internal abstract class GroupFunctions<TKey, TRow, TOut>
{
    /// <summary>The group has rows.</summary>
    public abstract IEnumerable<TOut> OnRows(TKey key, IEnumerable<TRow> rows);

    /// <summary>A time of the group has come.</summary>
    public abstract IEnumerable<TOut> OnTime(TKey key, GroupEntry due);

    /// <summary>The group begins with a row.</summary>
    public virtual void OnInitial<TInitial>(TKey key, TInitial row) => throw new InvalidOperationException("Only processors begin with rows. This is a mistake in Dataflow: please report it.");

    /// <summary>There are no more.</summary>
    public virtual void Close() { }
}

/// <summary>One function, one value kept of each group.</summary>
/// <param name="function">Called for each group.</param>
/// <param name="timeout">When it is called without rows.</param>
internal sealed class FlatMapProgram<TKey, TRow, TState, TOut>(Func<TKey, IEnumerable<TRow>, GroupState<TState>, IEnumerable<TOut>> function, GroupTimeout timeout) : FoldProgram<TKey, TRow, TState, TOut>(timeout)
{
    public override string Verb => "FlatMapGroupsWithState";

    protected override IEnumerable<TOut> Call(TKey key, IEnumerable<TRow> rows, GroupState<TState> state) => function(key, rows, state);
}

/// <summary>One function that gives one row for each group.</summary>
/// <param name="function">Called for each group.</param>
/// <param name="timeout">When it is called without rows.</param>
internal sealed class MapProgram<TKey, TRow, TState, TOut>(Func<TKey, IEnumerable<TRow>, GroupState<TState>, TOut> function, GroupTimeout timeout) : FoldProgram<TKey, TRow, TState, TOut>(timeout)
{
    public override string Verb => "MapGroupsWithState";

    public override bool GivesUpdates => true;

    protected override IEnumerable<TOut> Call(TKey key, IEnumerable<TRow> rows, GroupState<TState> state) => [function(key, rows, state)];
}

/// <summary>One value kept of each group.</summary>
/// <param name="timeout">When the function is called without rows.</param>
internal abstract class FoldProgram<TKey, TRow, TState, TOut>(GroupTimeout timeout) : GroupProgram<TKey, TRow, TOut>
{
    private const string Name = "state";

    public sealed override GroupTimeout Timeout => timeout;

    public sealed override string Shape => $"timeout {timeout}; keeps value {Name}={StoredCodec<TState>.Default.Shape}";

    public sealed override GroupNames Names => new([Name]);

    public sealed override GroupFunctions<TKey, TRow, TOut> Open(GroupEntries entries) => new Functions(this, entries);

    protected abstract IEnumerable<TOut> Call(TKey key, IEnumerable<TRow> rows, GroupState<TState> state);

    private sealed class Functions(FoldProgram<TKey, TRow, TState, TOut> program, GroupEntries entries) : GroupFunctions<TKey, TRow, TOut>
    {
        private readonly GroupCell<TState> _cell = new(0);

        public override IEnumerable<TOut> OnRows(TKey key, IEnumerable<TRow> rows) => Call(key, rows, false);

        public override IEnumerable<TOut> OnTime(TKey key, GroupEntry due) => Call(key, [], true);

        private IEnumerable<TOut> Call(TKey key, IEnumerable<TRow> rows, bool hasTimedOut)
        {
            // A timeout counts until the next call.
            if (program.Timeout != GroupTimeout.None && _cell.Find(entries, []) is { } entry && entry.Due != GroupDue.None)
            {
                (entry.Time, entry.Due) = (0, GroupDue.None);
                entries.Changed(entry);
                if (entry.Value is null) entries.Remove(entry);
            }
            return program.Call(key, rows, new GroupState<TState>(entries, _cell, program.Timeout) { HasTimedOut = hasTimedOut });
        }
    }
}
