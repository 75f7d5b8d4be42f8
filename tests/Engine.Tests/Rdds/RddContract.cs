namespace Dataflow.Engine.Tests.Rdds;

/// <summary>What every verb and every action promises, whatever the mode. The classes below run it in each.</summary>
public abstract partial class RddContract(DataflowContext context) : IDisposable
{
    protected RddContract(DataflowOptions options) : this(DataflowContext.Local(options)) { }

    protected DataflowContext Context { get; } = context;

    public void Dispose()
    {
        Context.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The elements of each partition.</summary>
    protected static T[][] Parts<T>(Rdd<T> rdd) => rdd.Glom().Collect();

    /// <summary>How many shuffles the lineage of an Rdd has.</summary>
    protected static int Shuffles(Rdd rdd)
    {
        var count = 0;
        Lineage.Visit(rdd, _ => false, one => count += one.Dependencies.Count(dependency => dependency is ShuffleDependency));
        return count;
    }

    /// <summary>A group as text: tuples with lists inside don't compare.</summary>
    protected static string Show<T>(IEnumerable<T> items) => $"[{string.Join(",", items.Select(item => item is null ? "null" : $"{item}"))}]";

    /// <summary>A group as text, its values in an order of their own.</summary>
    protected static string ShowSorted<T>(IEnumerable<T> items) => Show(items.Order());

    /// <summary>What a job that fails says.</summary>
    protected static JobFailedException Failure(Action action) => Assert.Throws<JobFailedException>(action);

    /// <summary>The message of what a task threw, which is named by its class if it comes from another process.</summary>
    protected static string Threw<T>(JobFailedException failure)
        where T : Exception
    {
        if (failure.InnerException is not RemoteTaskException remote) return Assert.IsType<T>(failure.InnerException).Message;
        Assert.Equal(typeof(T).FullName, remote.RemoteType);
        return remote.RemoteMessage;
    }

    /// <summary>Pairs with keys from 0 to 6, in order of position.</summary>
    protected Rdd<(int Key, int Value)> Sevens(int count = 50, int partitions = 4) =>
        Context.Parallelize(Enumerable.Range(0, count), partitions).Map(static i => (Key: i % 7, Value: i));
}

public sealed class RddOnOneThread() : RddContract(DataflowOptions.Default with { Threads = 1 });

/// <summary>Fused from the first element on.</summary>
public sealed class RddOnFourThreads() : RddContract(DataflowOptions.Default with { Threads = 4, FusionWarmUp = 0 });

/// <summary>No segment of a shuffle stays in memory: whatever a verb keeps goes to disk and comes back.</summary>
public sealed class RddOnDisk() : RddContract(DataflowOptions.Default with { Threads = 3, SegmentsInMemory = false, EngineMemoryBytes = 1 << 20 })
{
    [Fact]
    public void Every_segment_goes_to_disk()
    {
        var metrics = new Totals();
        Context.AddListener(metrics);
        Sevens().ReduceByKey(static (a, b) => a + b).SortByKey().Count();
        Context.Dispose();
        Assert.InRange(metrics.Written, 1, long.MaxValue);
        Assert.Equal(metrics.Written, metrics.Spilled);
    }

    private sealed class Totals : Diagnostics.JobListener
    {
        public long Written { get; private set; }

        public long Spilled { get; private set; }

        public override void OnTaskFinished(Diagnostics.TaskFinished news)
        {
            Written += news.Metrics.ShuffleWriteBytes;
            Spilled += news.Metrics.SpilledBytes;
        }
    }
}

public sealed class RddWithoutFusion() : RddContract(DataflowOptions.Default with { Threads = 2, Fusion = false });

/// <summary>All code and all results travel as bytes, as to executors in other processes.</summary>
public sealed class RddByWire() : RddContract(TestKit.ShippingBackend.Context(DataflowOptions.Default with { Threads = 2 }));
