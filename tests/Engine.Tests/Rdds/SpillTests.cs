namespace Dataflow.Engine.Tests.Rdds;

/// <summary>What does not fit a budget much smaller than the data goes to disk, and nothing of it shows in the results.</summary>
public sealed class SpillTests
{
    private static readonly DataflowOptions Tiny = DataflowOptions.Default with { Threads = 3, EngineMemoryBytes = 64 << 10 };

    public static TheoryData<string> Verbs => [.. Runs.Keys];

    private static readonly Dictionary<string, Func<DataflowContext, object[]>> Runs = new()
    {
        ["ReduceByKey of numbers"] = static context => Boxed(Numbers(context).ReduceByKey(static (a, b) => a + b)),
        ["ReduceByKey of texts"] = static context => Boxed(Texts(context).ReduceByKey(static (a, b) => a + b)),
        ["AggregateByKey"] = static context => Boxed(Texts(context).AggregateByKey(0, static (a, text) => a + text.Length, static (a, b) => a + b)),
        ["GroupByKey"] = static context => Boxed(Texts(context).GroupByKey().MapValues(static values => string.Join(" ", values))),
        ["CoGroup"] = static context => Boxed(Texts(context).CoGroup(Numbers(context)).MapValues(static pair => pair.Left.Count + pair.Right.Sum())),
        ["Join"] = static context => Boxed(Texts(context).Join(Numbers(context))),
        ["FullOuterJoin"] = static context => Boxed(Texts(context).FullOuterJoin(Numbers(context))),
        ["SubtractByKey"] = static context => Boxed(Numbers(context).SubtractByKey(Texts(context).Filter(static pair => pair.Key < 300))),
        ["Distinct"] = static context => Boxed(Texts(context).Values().Distinct()),
        ["PartitionBy"] = static context => Boxed(Numbers(context).PartitionBy(new HashPartitioner<int>(3))),
        ["Repartition"] = static context => Boxed(Texts(context).Repartition(30)),
        ["SortBy"] = static context => Boxed(Texts(context).SortBy(static pair => pair.Value)),
        ["SortByKey"] = static context => Boxed(Numbers(context).SortByKey(descending: true)),
        ["RepartitionAndSortWithinPartitions"] = static context => Boxed(Numbers(context).RepartitionAndSortWithinPartitions(new HashPartitioner<int>(30))),
        ["Join of placed pairs"] = static context =>
        {
            var placed = Texts(context).PartitionBy(new HashPartitioner<int>(30));
            return Boxed(placed.Join(placed.GroupByKey().MapValues(static values => values.Count)));
        },
    };

    [Theory, MemberData(nameof(Verbs))]
    public void A_wide_verb_in_a_tiny_budget_spills_and_gives_the_same_bits_in_the_same_order(string verb)
    {
        using var tiny = DataflowContext.Local(Tiny);
        using var plain = DataflowContext.Local(2);
        Assert.Equal(Runs[verb](plain), Runs[verb](tiny));
        Assert.True(Spilled(tiny) > 0, $"{verb} spilled nothing");
        Assert.Equal(0, Spilled(plain));
    }

    [Fact]
    public void Rows_of_one_job_that_cannot_be_encoded_fail_no_other_job_that_needs_memory()
    {
        using var context = DataflowContext.Local(DataflowOptions.Default with { Threads = 2, EngineMemoryBytes = 400 << 10 });

        // Nothing that is declared says what these objects are, so only writing them shows that they can't be.
        var odd = context.Range(0, 1000, partitions: 2).Map(static i => (Key: (int)i, Value: (object)new Odd())).PartitionBy(new HashPartitioner<int>(3));
        Assert.Equal(1000, odd.Count());
        using var plain = DataflowContext.Local(2);
        Assert.Equal(Boxed(Texts(plain).SortBy(static pair => pair.Value)), Boxed(Texts(context).SortBy(static pair => pair.Value)));
        Assert.True(Spilled(context) > 0);
        Assert.Equal(1000, odd.Count());
    }

    private sealed class Odd;

    private static Rdd<(int Key, long Value)> Numbers(DataflowContext context) =>
        context.Range(0, 16_000, partitions: 4).Map(static i => (Key: (int)(i * 7919 % 4001), Value: i));

    private static Rdd<(int Key, string Value)> Texts(DataflowContext context) =>
        context.Range(0, 9000, partitions: 3).Map(static i => (Key: (int)(i * 31 % 4001), Value: $"text {i * 17 % 2000}"));

    private static object[] Boxed<T>(Rdd<T> rdd) => [.. rdd.Collect().Select(item => (object)item!)];

    private static long Spilled(DataflowContext context) =>
        context.Parallelize([0], 1).Map(static _ => Tasks.TaskContext.Current!.Services.Shuffles.SpilledBytes).First();
}
