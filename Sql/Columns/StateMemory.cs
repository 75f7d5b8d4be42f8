using System.Runtime.CompilerServices;
using Dataflow.Mapping;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Sql.Columns;

/// <summary>The memory of what a partition keeps from task to task, in any number of arenas: up to a bound it is of the executor's budget, and what is more lies in mapped files.</summary>
/// <remarks>Tasks use it one after the other: each says so with <see cref="Use"/>, and arenas of state that it makes from then on share it.</remarks>
internal sealed class StateMemory(ExecutorServices services)
{
    private static readonly ConditionalWeakTable<TaskContext, StateMemory> OfTasks = [];

    private readonly MappedMemory _files = new(services.Temp);

    /// <summary>Bytes of the budget that it takes at the most; what is kept as objects may exceed it.</summary>
    public long MostBytes { get; private set; }

    /// <summary>Bytes of the budget that it takes.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Bytes that lie in files.</summary>
    public long FileBytes => _files.Bytes;

    /// <summary>What arenas of state share that a task makes; null if they are not bounded.</summary>
    public static StateMemory? Of(TaskContext context) => OfTasks.TryGetValue(context, out var memory) ? memory : null;

    /// <summary>Arenas of state that a task makes share it from now on.</summary>
    /// <param name="context">The task.</param>
    /// <param name="mostBytes">Bytes of the budget that it takes at the most.</param>
    public void Use(TaskContext context, long mostBytes)
    {
        MostBytes = mostBytes;
        OfTasks.AddOrUpdate(context, this);
    }

    /// <summary>Whether so much more is within the bound.</summary>
    public bool HasRoom(long bytes) => UsedBytes + bytes <= MostBytes;

    /// <summary>Notes what arenas have taken of the budget, or given back.</summary>
    public void Note(long bytes) => UsedBytes += bytes;

    /// <summary>A buffer in a file.</summary>
    public NativeBuffer RentFile(int length) => _files.Rent(length);
}
