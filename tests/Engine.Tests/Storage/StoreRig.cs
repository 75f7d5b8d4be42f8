using Dataflow.Scheduling;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Storage;

/// <summary>A block store with its pool, budget and folder, and tasks to use it from; checks at the end that all memory came back.</summary>
internal sealed class StoreRig : IDisposable
{
    public const long MB = 1 << 20;

    private readonly string _root = Path.Combine(Path.GetTempPath(), $"dataflow-test-{Guid.NewGuid():n}");
    private readonly List<TaskContext> _tasks = [];

    public StoreRig(long budgetBytes)
    {
        Pool = new NativePool(new NativePoolOptions { DebugFill = true, TrackOwners = true });
        Budget = new MemoryBudget(budgetBytes, Pool, TimeSpan.FromSeconds(30));
        Temp = new TempFolders(_root, Disk);
        Store = new BlockStore(Budget, Pool, Temp);
        Store.Updated += update =>
        {
            lock (Updates) Updates.Add(update);
        };
    }

    public FaultyDisk Disk { get; } = new();

    public NativePool Pool { get; }

    public MemoryBudget Budget { get; }

    public TempFolders Temp { get; }

    public BlockStore Store { get; }

    public List<BlockUpdate> Updates { get; } = [];

    public IEnumerable<(RddBlockId, BlockChange)> Changes => Updates.Select(update => (update.Id, update.Change));

    public TaskContext Task()
    {
        var task = LoneTask.New(_tasks.Count);
        lock (_tasks) _tasks.Add(task);
        return task;
    }

    /// <summary>Reads a block to its end in a task of its own; the elements are computed from the iterator if they are not kept.</summary>
    public List<T> Read<T>(RddBlockId id, StorageLevel level, IEnumerable<T> elements)
    {
        using var task = Task();
        using var reader = Store.GetOrCompute(id, level, () => ChunkReader<T>.From(elements), task);
        var result = reader.ToList();
        task.Complete();
        return result;
    }

    public List<T> ReadKept<T>(RddBlockId id) => Read<T>(id, StorageLevel.MemoryOnly, Never<T>());

    public void Dispose()
    {
        foreach (var task in _tasks) task.Complete();
        Store.Dispose();
        Assert.Equal(0, Budget.ReservedBytes);
        Assert.Null(Pool.LeakReport());
        if (Directory.Exists(_root)) Assert.Empty(Directory.EnumerateFiles(_root, "cache-*", SearchOption.AllDirectories));
        Temp.Dispose();
        Budget.Dispose();
        Pool.Dispose();
        if (Directory.Exists(_root)) Directory.Delete(_root, recursive: true);
    }

    private static IEnumerable<T> Never<T>()
    {
        Assert.Fail("The block was computed again.");
        yield break;
    }
}

internal static class ReaderVerbs
{
    public static List<T> ToList<T>(this ChunkReader<T> reader)
    {
        var result = new List<T>();
        while (reader.TryRead(out var chunk)) result.AddRange(chunk);
        return result;
    }
}
