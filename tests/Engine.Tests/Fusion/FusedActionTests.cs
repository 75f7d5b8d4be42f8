namespace Dataflow.Engine.Tests.Fusion;

public class FusedActionTests
{
    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Actions_give_what_LINQ_gives_whether_they_end_a_fused_loop_or_not(Mode mode)
    {
        using var context = DataflowContext.Local(NarrowRun.Options(mode) with { Threads = 2 });
        int[] items = [.. Enumerable.Range(-700, 3000)];
        var linq = items.Where(x => x % 3 != 0).SelectMany(x => Enumerable.Repeat(x, x & 3)).Select(x => x * 2L).ToList();
        var rdd = context.Parallelize(items, 5).Filter(x => x % 3 != 0).FlatMap(x => Enumerable.Repeat(x, x & 3)).Map(x => x * 2L);

        Assert.Equal(linq, rdd.Collect());
        Assert.Equal(linq.Count, rdd.Count());
        Assert.Equal(linq.Sum(), rdd.Sum());
        Assert.Equal(linq.Average(), rdd.Mean(), 9);
        Assert.Equal(linq.Max(), rdd.Reduce(Math.Max));
        Assert.Equal(linq.Max(), rdd.TreeReduce(Math.Max));
        Assert.Equal(linq.Sum(), rdd.Fold(0, (a, b) => a + b));
        Assert.Equal(linq.Sum(), rdd.Aggregate(0L, (a, x) => a + x, (a, b) => a + b));
        Assert.Equal(linq.Sum(), rdd.TreeAggregate(0L, (a, x) => a + x, (a, b) => a + b));
        Assert.Equal(linq.Take(40), rdd.Take(40));
        Assert.Throws<InvalidOperationException>(() => rdd.Filter(x => x % 2 == 1).Reduce((a, b) => a + b));
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Keyed_verbs_keep_keys_and_placement(Mode mode)
    {
        using var context = DataflowContext.Local(NarrowRun.Options(mode) with { Threads = 1 });
        var keyed = context.Parallelize(Enumerable.Range(0, 500), 3).KeyBy(x => x % 7).ReduceByKey((a, b) => a + b, 4);
        var values = keyed.MapValues(x => $"{x}").FlatMapValues(x => new[] { x, x + "!" }).Filter(pair => pair.Key != 2);

        Assert.Same(keyed.Partitioner, values.Partitioner);
        var expected = Enumerable.Range(0, 500).GroupBy(x => x % 7).Where(g => g.Key != 2)
            .SelectMany(g => new[] { (g.Key, $"{g.Sum()}"), (g.Key, $"{g.Sum()}!") });
        Assert.Equal(expected.Order(), values.Collect().Order());
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void A_kept_Rdd_in_the_middle_is_computed_once(Mode mode)
    {
        using var context = DataflowContext.Local(NarrowRun.Options(mode) with { Threads = 1 });
        var calls = context.Counter("calls");
        var middle = context.Parallelize(Enumerable.Range(0, 300), 2).Map(x =>
        {
            calls.Add(1);
            return x + 1;
        }).Cache();
        var last = middle.Map(x => x * 2L).Filter(x => x % 3 == 0);
        var expected = Enumerable.Range(0, 300).Select(x => (x + 1) * 2L).Where(x => x % 3 == 0).Sum();

        Assert.Equal(expected, last.Sum());
        Assert.Equal(expected, last.Sum());
        Assert.Equal(300, calls.Value);
        middle.Unpersist();
        Assert.Equal(expected, last.Sum());
        Assert.Equal(600, calls.Value);
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void The_failure_of_a_job_names_the_lambda_that_threw(Mode mode)
    {
        using var context = DataflowContext.Local(NarrowRun.Options(mode) with { Threads = 1, TaskMaxAttempts = 2 });
        var rdd = context.Parallelize(new[] { "1", "2", "x" }, 1).Map(x => x.Trim()).Map(int.Parse).Map(x => x + 1);
        var error = Assert.Throws<JobFailedException>(() => rdd.Sum());
        Assert.Contains("FormatException", error.Message);
    }
}
