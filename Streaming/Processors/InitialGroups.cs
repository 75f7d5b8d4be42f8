using Dataflow.Sql.Sources;
using Dataflow.Streaming.Groups;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Processors;

/// <summary>What groups begin with: rows of a frame that is no stream. Travels to executors.</summary>
internal abstract class InitialGroups<TKey>
{
    /// <summary>Puts the key in front of the columns of rows.</summary>
    public abstract BatchReader OpenKeys(BatchReader input, int[] columns, string verb, TaskContext context);

    /// <summary>Goes through rows that come ordered by key.</summary>
    public abstract InitialReader<TKey> Open(BatchReader input, TaskContext context);
}

/// <inheritdoc cref="InitialGroups{TKey}"/>
/// <param name="rows">The columns of rows.</param>
/// <param name="key">The key of one.</param>
internal sealed class InitialGroups<TKey, TInitial>(Schema rows, Func<TInitial, TKey> key) : InitialGroups<TKey>
{
    public override BatchReader OpenKeys(BatchReader input, int[] columns, string verb, TaskContext context) => new KeyedReader<TKey, TInitial>(input, columns, rows, key, verb, null, context);

    public override InitialReader<TKey> Open(BatchReader input, TaskContext context) => new Reader(new GroupCursor<TKey, TInitial>(input, rows, context));

    private sealed class Reader(GroupCursor<TKey, TInitial> cursor) : InitialReader<TKey>
    {
        public override Exception? Error => cursor.Error;

        public override bool TryNext(out TKey key)
        {
            var isMore = cursor.NextGroup();
            key = isMore ? cursor.Key : default!;
            return isMore;
        }

        public override void Handle<TRow, TOut>(TKey key, GroupFunctions<TKey, TRow, TOut> functions)
        {
            while (cursor.TryRow(out var row)) functions.OnInitial(key, row);
        }

        public override void Dispose() => cursor.Dispose();
    }
}

/// <summary>What the groups of a partition begin with.</summary>
internal abstract class InitialReader<TKey> : IDisposable
{
    /// <summary>What went wrong while rows were read.</summary>
    public abstract Exception? Error { get; }

    /// <summary>Goes on to the next group.</summary>
    public abstract bool TryNext(out TKey key);

    /// <summary>Gives the group's rows to the program.</summary>
    public abstract void Handle<TRow, TOut>(TKey key, GroupFunctions<TKey, TRow, TOut> functions);

    public abstract void Dispose();
}
