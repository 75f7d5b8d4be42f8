namespace Dataflow.Engine.Tests.Rdds;

/// <summary>What every verb and every action promises, whatever the mode. The classes below run it in each.</summary>
public abstract partial class RddContract(DataflowOptions options) : IDisposable
{
    protected DataflowContext Context { get; } = DataflowContext.Local(options);

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

    /// <summary>Pairs with keys from 0 to 6, in order of position.</summary>
    protected Rdd<(int Key, int Value)> Sevens(int count = 50, int partitions = 4) =>
        Context.Parallelize(Enumerable.Range(0, count), partitions).Map(static i => (Key: i % 7, Value: i));
}

public sealed class RddOnOneThread() : RddContract(DataflowOptions.Default with { Threads = 1 });

public sealed class RddOnFourThreads() : RddContract(DataflowOptions.Default with { Threads = 4 });

/// <summary>No segment of a shuffle stays in memory: whatever a verb keeps goes to disk and comes back.</summary>
public sealed class RddInTinyMemory() : RddContract(DataflowOptions.Default with { Threads = 4, EngineMemoryBytes = 16 << 10, MemoryWait = TimeSpan.FromSeconds(20) })
{
    [Fact]
    public void Every_wide_verb_really_spills_and_gives_the_same_bits_in_the_same_order()
    {
        using var plain = DataflowContext.Local(2);
        (string Name, Func<DataflowContext, object[]> Run)[] verbs =
        [
            ("ReduceByKey", static context => Boxed(Numbers(context).ReduceByKey(static (a, b) => a + b))),
            ("ReduceByKey of texts", static context => Boxed(Texts(context).ReduceByKey(static (a, b) => a + b))),
            ("AggregateByKey", static context => Boxed(Texts(context).AggregateByKey(0, static (a, text) => a + text.Length, static (a, b) => a + b))),
            ("GroupByKey", static context => Boxed(Texts(context).GroupByKey().MapValues(static values => string.Join(" ", values)))),
            ("CoGroup", static context => Boxed(Texts(context).CoGroup(Numbers(context)).MapValues(static pair => pair.Left.Count + pair.Right.Sum()))),
            ("Join", static context => Boxed(Texts(context).Join(Numbers(context)))),
            ("FullOuterJoin", static context => Boxed(Texts(context).FullOuterJoin(Numbers(context)))),
            ("SubtractByKey", static context => Boxed(Numbers(context).SubtractByKey(Texts(context).Filter(static pair => pair.Key < 300)))),
            ("Distinct", static context => Boxed(Texts(context).Values().Distinct())),
            ("PartitionBy", static context => Boxed(Numbers(context).PartitionBy(new HashPartitioner<int>(3)))),
            ("Repartition", static context => Boxed(Texts(context).Repartition(3))),
            ("SortBy", static context => Boxed(Texts(context).SortBy(static pair => pair.Value))),
            ("SortByKey", static context => Boxed(Numbers(context).SortByKey(descending: true))),
            ("RepartitionAndSort", static context => Boxed(Numbers(context).RepartitionAndSortWithinPartitions(new HashPartitioner<int>(3)))),
            ("join of placed pairs", static context =>
            {
                var placed = Texts(context).PartitionBy(new HashPartitioner<int>(3));
                return Boxed(placed.Join(placed.GroupByKey().MapValues(static values => values.Count)));
            }),
        ];
        foreach (var (name, run) in verbs)
        {
            var before = Spilled(Context);
            var tiny = run(Context);
            Assert.True(Spilled(Context) > before, $"{name} spilled nothing");
            Assert.True(run(plain).SequenceEqual(tiny), $"{name} gave something else");
        }
        Assert.Equal(0, Spilled(plain));
    }

    [Fact]
    public void The_metrics_of_tasks_tell_what_they_spilled()
    {
        var spills = new Spills();
        Context.AddListener(spills);
        Texts(Context).SortBy(static pair => pair.Value, partitions: 2).Count();
        Context.Dispose();
        Assert.True(spills.Bytes > 0);
    }

    private static Rdd<(int Key, long Value)> Numbers(DataflowContext context) =>
        context.Range(0, 8000, partitions: 4).Map(static i => (Key: (int)(i * 7919 % 1009), Value: i));

    private static Rdd<(int Key, string Value)> Texts(DataflowContext context) =>
        context.Range(0, 4000, partitions: 3).Map(static i => (Key: (int)(i * 31 % 503), Value: $"text {i * 17 % 2000}"));

    private static object[] Boxed<T>(Rdd<T> rdd) => [.. rdd.Collect().Select(item => (object)item!)];

    private static long Spilled(DataflowContext context) =>
        context.Parallelize([0], 1).Map(static _ => Tasks.TaskContext.Current!.Services.Shuffles.SpilledBytes).First();

    private sealed class Spills : Diagnostics.JobListener
    {
        public long Bytes { get; private set; }

        public override void OnTaskFinished(Diagnostics.TaskFinished news) => Bytes += news.Metrics?.SpilledBytes ?? 0;
    }
}

public sealed class RddWithoutFusion() : RddContract(DataflowOptions.Default with { Threads = 2, Fusion = false });
