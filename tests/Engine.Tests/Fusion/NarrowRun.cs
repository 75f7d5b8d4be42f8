using Dataflow.Fusion;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Fusion;

/// <summary>The ways to run narrow operators, which must not differ in what they give.</summary>
public enum Mode
{
    /// <summary>One by one.</summary>
    Plain,

    /// <summary>In a kernel from the first element on.</summary>
    Fused,

    /// <summary>One by one first, then in a kernel.</summary>
    Adaptive,
}

/// <summary>Computes partition 0 of an Rdd in this thread, without a scheduler.</summary>
internal static class NarrowRun
{
    private static readonly Dictionary<Mode, ExecutorServices> Services = Enum.GetValues<Mode>().ToDictionary(
        mode => mode,
        mode => new ExecutorServices(default, default, Options(mode)));

    public static TheoryData<Mode> Modes => [Mode.Plain, Mode.Fused, Mode.Adaptive];

    public static DataflowOptions Options(Mode mode) => DataflowOptions.Default with
    {
        Fusion = mode != Mode.Plain,
        FusionWarmUp = mode == Mode.Adaptive ? 100 : 0,
    };

    public static TaskContext Task(Mode mode, int attempt = 0) =>
        new(new TaskDescription(default, default, default, 0, 0, attempt), Services[mode]);

    public static ChunkReader<T> Open<T>(Rdd<T> rdd, TaskContext task) => rdd.Read(rdd.Partitions[0], task);

    public static List<T> Collect<T>(Rdd<T> rdd, Mode mode) => [.. Chunks(rdd, mode).SelectMany(chunk => chunk)];

    public static List<T[]> Chunks<T>(Rdd<T> rdd, Mode mode)
    {
        using var task = Task(mode);
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

    public static TAccumulate Fold<T, TAccumulate>(Rdd<T> rdd, TAccumulate seed, Func<TAccumulate, T, TAccumulate> update, Mode mode)
    {
        using var task = Task(mode);
        using var reader = Open(rdd, task);
        return reader.Fold(seed, update, task);
    }
}
