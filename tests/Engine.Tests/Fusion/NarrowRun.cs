using System.Reflection;
using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Fusion;

/// <summary>Computes partition 0 of an Rdd in this thread, without a scheduler.</summary>
internal static class NarrowRun
{
    public static DataflowContext Context { get; } = (DataflowContext)typeof(DataflowContext)
        .GetConstructor(BindingFlags.Instance | BindingFlags.NonPublic, [typeof(DataflowOptions)])!.Invoke([DataflowOptions.Default]);

    public static TaskContext Task(bool fusion = true, int attempt = 0) => new(
        new TaskDescription(default, default, default, 0, 0, attempt),
        new ExecutorServices(default, default, DataflowOptions.Default with { Fusion = fusion }));

    public static ChunkReader<T> Open<T>(Rdd<T> rdd, TaskContext task) => rdd.Read(rdd.Partitions[0], task);

    public static List<T> Collect<T>(Rdd<T> rdd, bool fusion = true) => Chunks(rdd, fusion).SelectMany(chunk => chunk).ToList();

    public static List<T[]> Chunks<T>(Rdd<T> rdd, bool fusion = true)
    {
        using var task = Task(fusion);
        using var reader = Open(rdd, task);
        var chunks = new List<T[]>();
        while (reader.TryRead(out var chunk))
        {
            Assert.False(chunk.IsEmpty);
            chunks.Add(chunk.ToArray());
        }
        Assert.False(reader.TryRead(out _));
        return chunks;
    }
}
