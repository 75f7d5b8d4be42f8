using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Streaming.State;

/// <summary>Reads rows, changes the state of a partition by them, and gives rows. The state is on the disk before the task succeeds, also where not all that it gives is read.</summary>
/// <typeparam name="TState">The kind of state.</typeparam>
internal abstract class StateReader<TState>(StateBatch batch, int partition, TaskContext context) : BatchReader where TState : PartitionState
{
    private StateLease<TState>? _lease;
    private bool _isDone;
    private bool _hasFailed;

    protected TState State => _lease!.State;

    protected StateBatch Batch => batch;

    protected TaskContext Context => context;

    public sealed override bool TryNext(out ColumnBatch rows)
    {
        if (_isDone)
        {
            rows = null!;
            return false;
        }
        try
        {
            _lease ??= StateLease<TState>.Take(batch, partition, Load, context);
            if (TryGive(out rows)) return true;
            _isDone = true;
            Forget();
            batch.Figures.Rows.Add(State.Count);
            _lease.Save();
            return false;
        }
        catch
        {
            _hasFailed = true;
            throw;
        }
    }

    public sealed override void Dispose()
    {
        try
        {
            if (!_hasFailed && !context.CancellationToken.IsCancellationRequested)
            {
                while (TryNext(out _)) { }
            }
        }
        finally
        {
            _isDone = true;
            _lease?.Dispose();
            Close();
            base.Dispose();
        }
    }

    /// <summary>Makes the state from the files of a chain below a folder, the oldest first.</summary>
    protected abstract TState Load(string folder, string[] chain, TaskContext task);

    /// <summary>The next rows.</summary>
    protected abstract bool TryGive(out ColumnBatch rows);

    /// <summary>Forgets what is not needed behind the watermark, after all rows were given.</summary>
    protected abstract void Forget();

    /// <summary>Gives back what it holds.</summary>
    protected abstract void Close();
}

/// <summary>A reader whose state is one table.</summary>
internal abstract class TableReader(StateLayout layout, StateBatch batch, int partition, TaskContext context) : StateReader<StateTable>(batch, partition, context)
{
    protected sealed override StateTable Load(string folder, string[] chain, TaskContext task) => StateTable.Load(layout, folder, chain, task);
}
