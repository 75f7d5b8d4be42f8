using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Joins;

/// <summary>Memory of one object that several threads make together.</summary>
/// <param name="arena">Where it comes from; ends with this.</param>
internal sealed class SharedArena(TaskArena arena) : IDisposable
{
    private readonly Lock _lock = new();

    /// <inheritdoc cref="TaskArena.Rent"/>
    public NativeBuffer Rent(int bytes)
    {
        lock (_lock) return arena.Rent(bytes);
    }

    /// <inheritdoc cref="TaskArena.Return"/>
    public void Return(NativeBuffer buffer)
    {
        lock (_lock) arena.Return(buffer);
    }

    public void Dispose()
    {
        lock (_lock) arena.Dispose();
    }
}
