using Dataflow.Errors;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Sql.Columns;

/// <summary>
/// The memory of one operator in one task, or of an object that tasks share: leased from the engine's pool, charged to its budget, given back when
/// its owner ends. Buffers are aligned to 64 bytes, and 64 bytes past their end may be read and written.
/// </summary>
/// <remarks>Used by one thread at a time.</remarks>
public sealed class TaskArena : IDisposable
{
    /// <summary>Bytes past the end that may be touched.</summary>
    public const int Slack = 64;

    private readonly NativePool _pool;
    private readonly MemoryConsumer? _consumer;
    private readonly bool _ownsPool;
    private readonly CancellationToken _cancellation;
    private readonly HashSet<NativeBuffer> _held = new(ReferenceEqualityComparer.Instance);
    private readonly TaskMemory? _task;
    private readonly string _name = "";
    private readonly long _budgetBytes = long.MaxValue;
    private readonly int _threads = 1;
    private readonly int _mostBytes = int.MaxValue;
    private readonly StateMemory? _state;
    private MemoryConsumer? _objects;

    /// <summary>An arena of a task; it ends with the task at the latest.</summary>
    /// <param name="context">The task.</param>
    /// <param name="name">What errors call it: <c>sort</c>.</param>
    public TaskArena(TaskContext context, string name)
    {
        _pool = context.Services.Pool;
        _task = context.Services.Memory.ForTask(context);
        _name = name;
        _budgetBytes = context.Services.Memory.TotalBytes;
        _threads = Math.Max(1, context.Services.Options.Threads);
        _consumer = _task.Open(name);
        _cancellation = context.CancellationToken;
        context.OnCompletion(_ => Dispose());
    }

    private TaskArena(ExecutorServices services, string name, CancellationToken cancellation, StateMemory? state = null)
    {
        _state = state;
        _pool = services.Pool;
        _consumer = new SharedMemory(services.Memory, name);
        _cancellation = cancellation;
    }

    private TaskArena(NativePool pool, int mostBytes = int.MaxValue)
    {
        _mostBytes = mostBytes;
        _pool = pool;
        _ownsPool = true;
    }

    /// <summary>Bytes of the budget that are held; what lies in files does not count.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes of the managed heap that are charged.</summary>
    public long ObjectBytes { get; private set; }

    /// <summary>An arena of an object that outlives the task that makes it: the build side of a join.</summary>
    /// <param name="context">The task that makes it.</param>
    /// <param name="name">What errors call it.</param>
    public static TaskArena OfShared(TaskContext context, string name) => new(context.Services, name, context.CancellationToken);

    /// <summary>An arena of an object that tasks use one after the other, and that goes on to grow: the state of a stream.</summary>
    /// <remarks>Where its task has bounded the memory of state (<see cref="StateMemory"/>), what is more lies in files.</remarks>
    /// <param name="context">Any task of the executor.</param>
    /// <param name="name">What errors call it.</param>
    /// <param name="isBounded">Whether that bound counts for it; false for what makes room by itself.</param>
    internal static TaskArena OfState(TaskContext context, string name, bool isBounded = true) => new(context.Services, name, CancellationToken.None, isBounded ? StateMemory.Of(context) : null);

    /// <summary>Charges memory that others lend for as long as the arena lasts.</summary>
    /// <param name="bytes">How much.</param>
    /// <exception cref="MemoryExhaustedException">The budget has no room.</exception>
    internal void Charge(long bytes)
    {
        _consumer?.Budget.Reserve(bytes, _consumer, _cancellation);
        Count(bytes);
    }

    /// <summary>An arena outside tasks, of no budget: for a few values on the driver.</summary>
    internal static TaskArena OfDriver() => new(new NativePool(new NativePoolOptions { HugePages = false }));

    /// <summary>An arena on the driver for values of literals.</summary>
    /// <param name="mostBytes">More than so many at once it refuses.</param>
    internal static TaskArena OfDriver(int mostBytes) => new(new NativePool(new NativePoolOptions { HugePages = false }), mostBytes);

    /// <summary>Ends the task if it was cancelled: for loops that go on long without asking for a batch or for memory.</summary>
    public void ThrowIfCancelled() => _cancellation.ThrowIfCancellationRequested();

    /// <summary>Leases memory; its contents are arbitrary.</summary>
    /// <param name="bytes">How much is needed.</param>
    /// <exception cref="MemoryExhaustedException">The budget has no room.</exception>
    public NativeBuffer Rent(int bytes)
    {
        if (bytes > _mostBytes) throw new QueryException("UNSUPPORTED_FEATURE", $"A value of {bytes} bytes is computed where the query runs: literals have {_mostBytes} at the most.");
        var capacity = NativePool.CapacityOf(checked(bytes + Slack));
        if (_state is not null)
        {
            if (_state.HasRoom(capacity) && _consumer!.Budget.TryReserve(capacity, _consumer)) return Take(bytes);
            var buffer = _state.RentFile(bytes + Slack);
            _held.Add(buffer);
            return buffer;
        }
        _consumer?.Budget.Reserve(capacity, _consumer, _cancellation);
        return Take(bytes);
    }

    /// <summary>Leases memory if the budget has room: operators that can spill ask this way, and spill when it gives null.</summary>
    /// <param name="bytes">How much is needed.</param>
    public NativeBuffer? TryRent(int bytes)
    {
        var capacity = NativePool.CapacityOf(checked(bytes + Slack));
        return _state is not null ? Rent(bytes) : _consumer is null || _consumer.Budget.TryReserve(capacity, _consumer) ? Take(bytes) : null;
    }

    /// <summary>Gives a buffer back before the end.</summary>
    /// <param name="buffer">A buffer of this arena.</param>
    public void Return(NativeBuffer buffer)
    {
        if (!_held.Remove(buffer)) throw new InvalidOperationException("The buffer is not of this arena, or was given back before. Please report this.");
        var (capacity, isMapped) = (buffer.Capacity, buffer.IsMapped);
        buffer.Dispose();
        if (isMapped) return;
        Count(-capacity);
        _consumer?.Budget.Release(capacity, _consumer);
    }

    /// <summary>Bytes that one of a task's buffers may take: a part of the task's share of the budget, within bounds.</summary>
    /// <remarks>By the budget as it was set, not by what is left of it: a task that runs again cuts its rows alike.</remarks>
    /// <param name="parts">Into how many parts the share is cut.</param>
    /// <param name="least">Not less.</param>
    /// <param name="most">Not more.</param>
    public long ShareOfBudget(int parts, long least, long most) => Math.Clamp(_budgetBytes / parts / _threads, least, most);

    /// <summary>Charges the budget for what the owner keeps as objects: states of aggregates, arrays of row numbers.</summary>
    /// <param name="bytes">All that it keeps from now on; less than before gives back.</param>
    /// <exception cref="MemoryExhaustedException">The budget has no room.</exception>
    public void ChargeObjects(long bytes)
    {
        var more = bytes - ObjectBytes;
        var owner = _task is null ? _consumer : _objects ??= _task.Open($"{_name} (objects)", MemoryKind.Managed);
        if (owner is null || more == 0) return;
        if (more > 0) owner.Budget.Reserve(more, owner, _cancellation);
        else owner.Budget.Release(-more, owner);
        ObjectBytes = bytes;
        _state?.Note(more);
    }

    /// <summary>Gives everything back. Safe to call twice.</summary>
    public void Dispose()
    {
        _objects?.Dispose();
        foreach (var buffer in _held) buffer.Dispose();
        _held.Clear();
        _state?.Note(-Bytes - ObjectBytes);
        (Bytes, ObjectBytes) = (0, 0);
        _consumer?.Dispose();
        if (_ownsPool) _pool.Dispose();
    }

    private NativeBuffer Take(int bytes)
    {
        var buffer = _pool.Rent(bytes + Slack);
        _held.Add(buffer);
        Count(buffer.Capacity);
        return buffer;
    }

    private void Count(long bytes)
    {
        Bytes += bytes;
        _state?.Note(bytes);
    }

    // It is in use for as long as tasks hold it, and is dropped as a whole by who keeps it.
    private sealed class SharedMemory(MemoryBudget budget, string name) : MemoryConsumer(budget, name, MemoryPriority.State)
    {
        protected override long OnRevoke(long bytes) => 0;
    }
}
