namespace Dataflow.Engine.Tests.Rdds;

// Accumulators, broadcasts, and what lambdas may not do.
public abstract partial class RddContract
{
    [Fact]
    public void Accumulators_count_once_for_each_task_that_succeeded()
    {
        var seen = Context.Counter("seen");
        var failed = Context.Accumulator("failed", 0, static (a, b) => a + b);
        var rdd = Context.Parallelize(Enumerable.Range(0, 100), 5).Map(i =>
        {
            seen.Add(1);
            if (Tasks.TaskContext.Current is { Attempt: 0, PartitionIndex: 3 } && i % 20 == 10)
            {
                failed.Add(1);
                throw new TimeoutException("first attempt");
            }
            return i;
        });
        Assert.Equal(100, rdd.Count());
        Assert.Equal(100, seen.Value);
        Assert.Equal(0, failed.Value);
        Assert.Equal(100, rdd.Count());
        Assert.Equal(200, seen.Value);
    }

    [Fact]
    public void Accumulators_of_a_map_stage_count_once_though_two_jobs_read_it()
    {
        var mapped = Context.Counter("mapped");
        var pairs = Sevens().Map(pair =>
        {
            mapped.Add(1);
            return pair;
        }).PartitionBy(new HashPartitioner<int>(3));
        pairs.Count();
        pairs.Count();
        Assert.Equal(50, mapped.Value);
    }

    [Fact]
    public void All_kinds_of_accumulators_gather()
    {
        var count = Context.Counter("count");
        var sum = Context.DoubleAccumulator("sum");
        var largest = Context.Accumulator("largest", int.MinValue, static (a, b) => Math.Max(a, b));
        var words = Context.CollectionAccumulator<string>("words");
        var own = Context.Register(new Letters(), "letters");
        Context.Parallelize(["a", "bb", "ccc", "a"], 3).ForEach(word =>
        {
            count.Add(1);
            sum.Add(word.Length / 2.0);
            largest.Add(word.Length);
            words.Add(word);
            own.Add(word[0]);
        });
        Assert.Equal(4, count.Value);
        Assert.Equal(3.5, sum.Value);
        Assert.Equal(3, largest.Value);
        Bag.AssertEqual(["a", "bb", "ccc", "a"], words.Value);
        Assert.Equal("abc", own.Value);
        count.Add(5);
        Assert.Equal(9, count.Value);
        count.Reset();
        own.Reset();
        Assert.Equal(0, count.Value);
        Assert.Equal("", own.Value);
        Assert.Equal("letters", own.Name);
    }

    [Fact]
    public void An_accumulator_is_registered_once_and_read_on_the_driver_only()
    {
        var own = new Letters();
        Assert.Contains("Register", Assert.Throws<InvalidOperationException>(() => own.Add('a')).Message);
        Context.Register(own, "letters");
        Assert.Throws<InvalidOperationException>(() => Context.Register(own, "again"));
        var count = Context.Counter("count");
        Assert.Contains("inside a task", Failure(() => Context.Parallelize([1], 1).Map(_ => count.Value).Collect()).InnerException!.Message);
    }

    [Fact]
    public void A_merge_of_an_accumulator_that_throws_fails_its_job_and_no_other()
    {
        var sum = Context.Accumulator("sum", 0, static (a, b) => a + b > 30 ? throw new FormatException("too many") : a + b);
        var failed = Failure(() => Context.Range(0, 10, partitions: 5).ForEach(i => sum.Add((int)i)));
        Assert.IsType<FormatException>(failed.InnerException);
        var pairs = Context.Range(0, 10, partitions: 5).Map(i =>
        {
            sum.Add((int)i);
            return (i % 2, i);
        }).ReduceByKey(static (a, b) => a + b);
        Assert.IsType<FormatException>(Failure(() => pairs.Count()).InnerException);
        Assert.Equal(10, Context.Range(0, 10).Count());
    }

    [Fact]
    public void An_accumulator_is_refused_on_threads_that_a_task_has_started()
    {
        var count = Context.Counter("count");
        var rdd = Context.Parallelize([1], 1);
        Assert.Contains("'count'", Failure(() => rdd.ForEach(_ => Task.Run(() => count.Add(1)).GetAwaiter().GetResult())).InnerException!.Message);
        Assert.Contains("inside a task", Failure(() => rdd.Map(_ => Task.Run(() => count.Value).GetAwaiter().GetResult()).Collect()).InnerException!.Message);
        Assert.Equal(0, count.Value);
    }

    [Fact]
    public void An_accumulator_of_another_context_is_refused()
    {
        using var other = DataflowContext.Local(1);
        var foreign = other.Counter("foreign");
        var own = Context.Counter("own");
        var error = Failure(() => Context.Parallelize([1], 1).ForEach(_ =>
        {
            own.Add(1);
            foreign.Add(1);
        }));
        Assert.Contains("'foreign'", error.InnerException!.Message);
        Assert.Contains("another context", error.InnerException!.Message);
    }

    [Fact]
    public void A_broadcast_is_read_by_all_tasks_until_it_is_destroyed()
    {
        var stopWords = Context.Broadcast(new HashSet<string> { "a", "the" });
        var rdd = Context.Parallelize(["a", "cat", "the", "hat"], 3).Filter(word => !stopWords.Value.Contains(word));
        Assert.Equal(["cat", "hat"], rdd.Collect());
        stopWords.Unpersist();
        Assert.Equal(["cat", "hat"], rdd.Collect());
        stopWords.Destroy();
        Assert.Contains("Broadcast at RddContract.Sharing.cs", Assert.Throws<ObjectDisposedException>(() => stopWords.Value).Message);
        Threw<ObjectDisposedException>(Failure(() => rdd.Collect()));
        Assert.Throws<ObjectDisposedException>(stopWords.Unpersist);
        stopWords.Destroy();
    }

    [Fact]
    public void A_lambda_that_writes_a_captured_variable_is_refused_by_every_verb()
    {
        var total = 0;
        var pairs = Sevens();
        var numbers = Context.Parallelize([1, 2], 1);
        Action[] verbs =
        [
            () => numbers.Map(i => total += i),
            () => numbers.Filter(i => (total += i) > 0),
            () => numbers.FlatMap(i => new[] { total += i }),
            () => numbers.MapPartitions(items => { total++; return items; }),
            () => numbers.MapPartitionsWithIndex((_, items) => { total++; return items; }),
            () => numbers.ZipPartitions(numbers, (a, _) => { total++; return a; }),
            () => numbers.KeyBy(i => total += i),
            () => numbers.GroupBy(i => total += i),
            () => numbers.SortBy(i => total += i),
            () => pairs.MapValues(i => total += i),
            () => pairs.FlatMapValues(i => new[] { total += i }),
            () => pairs.ReduceByKey((a, b) => total += a + b),
            () => pairs.FoldByKey(0, (a, b) => total += a + b),
            () => pairs.AggregateByKey(0, (a, b) => total += a + b, (a, b) => a + b),
            () => pairs.AggregateByKey(0, (a, b) => a + b, (a, b) => total += a + b),
            () => pairs.CombineByKey(i => total += i, (a, b) => a + b, (a, b) => a + b),
            () => pairs.CombineByKey(i => i, (a, b) => total += a + b, (a, b) => a + b),
            () => pairs.CombineByKey(i => i, (a, b) => a + b, (a, b) => total += a + b),
            () => numbers.Reduce((a, b) => total += a + b),
            () => numbers.Fold(0, (a, b) => total += a + b),
            () => numbers.Aggregate(0, (a, b) => total += a + b, (a, b) => a + b),
            () => numbers.TreeReduce((a, b) => total += a + b),
            () => numbers.TreeAggregate(0, (a, b) => total += a + b, (a, b) => a + b),
            () => numbers.ForEach(i => total += i),
            () => numbers.ForEachPartition(items => total += items.Sum()),
            () => numbers.Top(1, i => total += i),
            () => numbers.TakeOrdered(1, i => total += i),
            () => numbers.Collect(i => (total += i) > 0, i => i),
        ];
        for (var i = 0; i < verbs.Length; i++)
        {
            var error = Record.Exception(verbs[i]);
            Assert.True(error is ClosureException, $"verb {i}: {error}");
            Assert.Contains("Accumulator", error.Message);
            Assert.Contains("'total'", error.Message);
        }
        Assert.Equal(0, total);
    }

    [Fact]
    public void An_Rdd_inside_a_lambda_is_refused()
    {
        var other = Context.Parallelize([1, 2], 1);
        var rdd = Context.Parallelize([1, 2], 1);
        Assert.Contains("'other'", Assert.Throws<ClosureException>(() => rdd.Map(i => other.Count() + i)).Message);
        var context = Context;
        Assert.Throws<ClosureException>(() => rdd.Map(i => context.Parallelize([i], 1).Count()));

        // Hidden where the lambda's code does not show it. Waiting for a thread of its own, a task would wait for slots that wait for it.
        Hidden = other;
        Assert.Contains("inside task", Failure(() => rdd.Map(static i => Hidden!.Count() + i).Collect()).InnerException!.Message);
        Assert.Contains(
            "on a thread that a task has started", Failure(() => rdd.Map(static i => Task.Run(() => Hidden!.Count() + i).GetAwaiter().GetResult()).Collect()).InnerException!.Message);
        Hidden = null;
    }

    [Fact]
    public void Rows_that_cannot_be_encoded_are_refused_when_a_shuffle_is_planned()
    {
        var rows = Context.Parallelize([1, 2], 1).Map(static i => (Key: i, Value: (Action)(() => { })));
        Func<Rdd>[] verbs =
        [
            () => rows.PartitionBy(new HashPartitioner<int>(2)), () => rows.GroupByKey(), () => rows.ReduceByKey(static (a, _) => a), () => rows.SortByKey(),
            () => rows.SortBy(static row => row.Key), () => rows.Repartition(2), () => rows.Join(rows), () => rows.CombineByKey(static a => a, static (a, _) => a, static (a, _) => a),
        ];
        foreach (var verb in verbs) Assert.Contains("a delegate is code", Assert.Throws<CodecException>(verb).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_lambda_is_refused_when_the_plan_is_built()
    {
        var numbers = Context.Parallelize([1, 2], 1);
        var pairs = Sevens();
        Action[] verbs =
        [
            () => numbers.Map((Func<int, int>)null!), () => numbers.Filter(null!), () => numbers.FlatMap((Func<int, int[]>)null!),
            () => numbers.MapPartitions((Func<IEnumerable<int>, IEnumerable<int>>)null!), () => numbers.MapPartitionsWithIndex((Func<int, IEnumerable<int>, IEnumerable<int>>)null!),
            () => numbers.MapPartitionsWithEvaluator((Func<IPartitionEvaluator<int, int>>)null!),
            () => numbers.ZipPartitions(numbers, (Func<IEnumerable<int>, IEnumerable<int>, IEnumerable<int>>)null!),
            () => numbers.KeyBy((Func<int, int>)null!), () => numbers.GroupBy((Func<int, int>)null!), () => numbers.SortBy((Func<int, int>)null!),
            () => pairs.MapValues((Func<int, int>)null!), () => pairs.FlatMapValues((Func<int, int[]>)null!), () => pairs.ReduceByKey(null!),
            () => pairs.FoldByKey(0, null!), () => pairs.AggregateByKey(0, null!, static (a, b) => a + b), () => pairs.AggregateByKey(0, static (a, b) => a + b, null!),
            () => pairs.CombineByKey(null!, static (int a, int b) => a + b, static (a, b) => a + b),
            () => pairs.ReduceByKeyLocally(null!), () => numbers.Reduce(null!), () => numbers.Fold(0, null!), () => numbers.Aggregate(0, null!, static (a, b) => a + b),
            () => numbers.Aggregate(0, static (a, b) => a + b, null!), () => numbers.TreeReduce(null!), () => numbers.TreeAggregate(0, null!, static (a, b) => a + b),
            () => numbers.ForEach(null!), () => numbers.ForEachPartition(null!), () => numbers.Top(1, (Func<int, int>)null!),
            () => numbers.Collect(null!, static i => i), () => numbers.Collect(static _ => true, (Func<int, int>)null!),
            () => numbers.Union(null!), () => numbers.Zip((Rdd<int>)null!), () => numbers.Cartesian((Rdd<int>)null!), () => numbers.Subtract(null!),
            () => pairs.Join((Rdd<(int, int)>)null!), () => pairs.LeftOuterJoin((Rdd<(int, int)>)null!), () => pairs.CoGroup((Rdd<(int, int)>)null!),
            () => pairs.PartitionBy(null!), () => pairs.GroupByKey(null!), () => pairs.ReduceByKey(static (a, b) => a + b, null!), () => numbers.Persist(null!),
        ];
        for (var i = 0; i < verbs.Length; i++)
        {
            var error = Record.Exception(verbs[i]);
            Assert.True(error is ArgumentNullException, $"verb {i}: {error}");
        }
    }

    [Fact]
    public void A_negative_number_of_partitions_is_refused_by_every_wide_verb()
    {
        var pairs = Sevens();
        Action[] verbs =
        [
            () => pairs.ReduceByKey(static (a, b) => a + b, -1), () => pairs.FoldByKey(0, static (a, b) => a + b, -1), () => pairs.GroupByKey(-1),
            () => pairs.AggregateByKey(0, static (a, b) => a + b, static (a, b) => a + b, -1), () => pairs.CoGroup(pairs, -1), () => pairs.CoGroup(pairs, pairs, -1),
            () => pairs.Join(pairs, -1), () => pairs.LeftOuterJoin(pairs, -1), () => pairs.RightOuterJoin(pairs, -1), () => pairs.FullOuterJoin(pairs, -1),
            () => pairs.SubtractByKey(pairs, -1), () => pairs.SortByKey(partitions: -1), () => pairs.SortBy(static pair => pair.Value, partitions: -1),
            () => pairs.Keys().Distinct(-1), () => pairs.Keys().Intersection(pairs.Keys(), -1), () => pairs.Keys().Subtract(pairs.Keys(), -1),
            () => pairs.GroupBy(static pair => pair.Value, -1), () => pairs.Repartition(-1), () => pairs.CountApproxDistinctByKey(partitions: -1),
            () => new HashPartitioner<int>(0),
        ];
        for (var i = 0; i < verbs.Length; i++)
        {
            var error = Record.Exception(verbs[i]);
            Assert.True(error is ArgumentOutOfRangeException, $"verb {i}: {error}");
        }
    }

    [Fact]
    public void What_user_code_throws_is_the_cause_of_the_failure()
    {
        var rdd = Context.Parallelize(["1", "n/a"], 2).Map(static text => int.Parse(text));
        var error = Failure(() => rdd.Collect());
        Threw<FormatException>(error);
        Assert.Contains("Map at RddContract.Sharing.cs", error.Message);
        Threw<FormatException>(Failure(() => rdd.KeyBy(static i => i).ReduceByKey(static (a, b) => a + b).Count()));
    }

    [Fact]
    public void A_result_that_is_too_large_is_refused_and_says_what_to_do()
    {
        using var context = DataflowContext.Local(Context.Options with { MaxResultBytes = 50_000 });
        var rdd = context.Range(0, 40_000, partitions: 2);
        foreach (var action in new Func<object>[] { () => rdd.Collect(), () => rdd.Take(30_000), () => rdd.Glom().Collect(), () => rdd.Top(30_000), () => rdd.CollectAsMapOf() })
        {
            var error = Failure(() => action());
            Assert.IsType<ResultTooLargeException>(error.InnerException);
            Assert.Contains("MaxResultBytes", error.InnerException!.Message);
        }

        // Each partition would pass alone, and it is the last that does not.
        Assert.IsType<ResultTooLargeException>(Failure(() => context.Range(0, 10_000, partitions: 2).Collect()).InnerException);

        // Each partition would pass alone.
        Assert.IsType<ResultTooLargeException>(Failure(() => context.Range(0, 40_000, partitions: 20).Collect()).InnerException);
        Assert.Equal(3000, rdd.Take(3000).Length);
        Assert.Equal(40_000, rdd.Count());
        Assert.Equal(40_000, context.Range(0, 40_000, partitions: 20).ToEnumerable().Count());
    }

    [Fact]
    public void A_stopped_context_says_where_it_was_stopped()
    {
        var context = DataflowContext.Local(1);
        var rdd = context.Parallelize([1], 1);
        context.Dispose();
        context.Dispose();
        foreach (var use in new Func<object>[] { () => context.Parallelize([1], 1), () => rdd.Map(static i => i), () => rdd.Count(), () => context.Counter("x"), () => context.Broadcast(1) })
            Assert.Contains("RddContract.Sharing.cs", Assert.Throws<ObjectDisposedException>(use).Message);
    }

    private static Rdd<int>? Hidden
    {
        get => _hidden.Value;
        set => _hidden.Value = value;
    }

    private static readonly Slot _hidden = new();

    private sealed class Slot
    {
        public Rdd<int>? Value;
    }

    private sealed class Letters : Accumulator<char, SortedSet<char>, string>
    {
        protected override SortedSet<char> Empty() => [];

        protected override SortedSet<char> Add(SortedSet<char> buffer, char value)
        {
            buffer.Add(value);
            return buffer;
        }

        protected override SortedSet<char> Merge(SortedSet<char> left, SortedSet<char> right)
        {
            left.UnionWith(right);
            return left;
        }

        protected override string Result(SortedSet<char> buffer) => string.Concat(buffer);
    }
}

internal static class AsMapVerb
{
    public static object CollectAsMapOf(this Rdd<long> rdd) => rdd.KeyBy(static i => i).CollectAsMap();
}
