using System.Reflection;

namespace Dataflow.Engine.Tests.Rdds;

// The Async twins.
public abstract partial class RddContract
{
    [Fact]
    public async Task Async_twins_give_what_the_actions_give()
    {
        var rdd = Context.Parallelize([3, 1, 2, 2], 3);
        var pairs = Sevens();
        Assert.Equal(rdd.Collect(), await rdd.CollectAsync());
        Assert.Equal(rdd.Collect(static i => i > 1, static i => -i), await rdd.CollectAsync(static i => i > 1, static i => -i));
        Assert.Equal(rdd.Count(), await rdd.CountAsync());
        Assert.Equal(rdd.First(), await rdd.FirstAsync());
        Assert.Equal(rdd.Take(2), await rdd.TakeAsync(2));
        Assert.Equal(rdd.IsEmpty(), await rdd.IsEmptyAsync());
        Assert.Equal(rdd.Top(2), await rdd.TopAsync(2));
        Assert.Equal(rdd.TakeOrdered(2), await rdd.TakeOrderedAsync(2));
        Assert.Equal(rdd.Max(), await rdd.MaxAsync());
        Assert.Equal(rdd.Min(), await rdd.MinAsync());
        Assert.Equal(rdd.Reduce(static (a, b) => a - b), await rdd.ReduceAsync(static (a, b) => a - b));
        Assert.Equal(rdd.Fold(0, static (a, b) => a + b), await rdd.FoldAsync(0, static (a, b) => a + b));
        Assert.Equal(rdd.Aggregate("", static (a, b) => a + b, static (a, b) => a + b), await rdd.AggregateAsync("", static (a, b) => a + b, static (a, b) => a + b));
        Assert.Equal(rdd.TreeReduce(static (a, b) => a + b), await rdd.TreeReduceAsync(static (a, b) => a + b));
        Assert.Equal(rdd.TreeAggregate(0, static (a, b) => a + b, static (a, b) => a + b), await rdd.TreeAggregateAsync(0, static (a, b) => a + b, static (a, b) => a + b));
        Assert.Equal(rdd.CountByValue(), await rdd.CountByValueAsync());
        Assert.Equal(rdd.TakeSample(false, 2, 1), await rdd.TakeSampleAsync(false, 2, 1));
        Assert.Equal(rdd.CountApproxDistinct(), await rdd.CountApproxDistinctAsync());
        Assert.Equal(rdd.Sum(), await rdd.SumAsync());
        Assert.Equal(rdd.Stats(), await rdd.StatsAsync());
        Assert.Equal(rdd.Histogram([1, 2, 3]), await rdd.HistogramAsync([1, 2, 3]));
        Assert.Equal(pairs.CountByKey(), await pairs.CountByKeyAsync());
        Assert.Equal(pairs.CollectAsMap(), await pairs.CollectAsMapAsync());
        Assert.Equal(pairs.Lookup(2), await pairs.LookupAsync(2));
        Assert.Equal(pairs.ReduceByKeyLocally(static (a, b) => a + b), await pairs.ReduceByKeyLocallyAsync(static (a, b) => a + b));
    }

    [Fact]
    public async Task An_action_whose_token_is_cancelled_already_runs_nothing()
    {
        var cancelled = new CancellationToken(true);
        var touched = Context.Counter("touched");
        var rdd = Context.Parallelize([3, 1, 2], 2).Map(i =>
        {
            touched.Add(1);
            return i;
        });
        var pairs = rdd.KeyBy(static i => i);
        var sorted = pairs.SortByKey();
        Func<Task>[] actions =
        [
            () => rdd.CollectAsync(cancelled), () => rdd.CollectAsync(static _ => true, static i => i, cancelled), () => rdd.CountAsync(cancelled), () => rdd.FirstAsync(cancelled),
            () => rdd.TakeAsync(2, cancelled), () => rdd.IsEmptyAsync(cancelled), () => rdd.TopAsync(1, cancelled), () => rdd.TakeOrderedAsync(1, cancelled),
            () => rdd.MaxAsync(cancellationToken: cancelled), () => rdd.MinAsync(cancellationToken: cancelled), () => rdd.ReduceAsync(static (a, b) => a + b, cancelled), () => rdd.FoldAsync(0, static (a, b) => a + b, cancelled),
            () => rdd.AggregateAsync(0, static (a, b) => a + b, static (a, b) => a + b, cancelled), () => rdd.TreeReduceAsync(static (a, b) => a + b, cancellationToken: cancelled),
            () => rdd.TreeAggregateAsync(0, static (a, b) => a + b, static (a, b) => a + b, cancellationToken: cancelled),
            () => rdd.ForEachAsync(static _ => { }, cancelled), () => rdd.ForEachPartitionAsync(static _ => { }, cancelled),
            () => rdd.CountByValueAsync(cancelled), () => rdd.TakeSampleAsync(false, 1, 1, cancelled), () => rdd.CountApproxDistinctAsync(cancellationToken: cancelled),
            () => rdd.CountApproxAsync(Ample, cancellationToken: cancelled), () => rdd.CountByValueApproxAsync(Ample, cancellationToken: cancelled),
            () => rdd.SumAsync(cancelled), () => rdd.StatsAsync(cancelled), () => rdd.MeanAsync(cancelled), () => rdd.VarianceAsync(cancelled), () => rdd.HistogramAsync(3, cancelled),
            () => rdd.HistogramAsync([1, 2], cancelled), () => rdd.SumApproxAsync(Ample, cancellationToken: cancelled), () => rdd.MeanApproxAsync(Ample, cancellationToken: cancelled),
            () => pairs.CountByKeyAsync(cancelled), () => pairs.CollectAsMapAsync(cancelled), () => pairs.LookupAsync(1, cancelled),
            () => pairs.ReduceByKeyLocallyAsync(static (a, b) => a + b, cancelled), () => pairs.CountByKeyApproxAsync(Ample, cancellationToken: cancelled),
            () => sorted.CollectAsync(cancelled), () => sorted.LookupAsync(1, cancelled), () => sorted.TakeAsync(2, cancelled),
            async () => { await foreach (var _ in rdd.ToAsyncEnumerable(cancelled)) { } },
        ];
        for (var i = 0; i < actions.Length; i++)
        {
            var error = await Record.ExceptionAsync(actions[i]);
            Assert.True(error is OperationCanceledException, $"action {i}: {error}");
        }
        Assert.Equal(0, touched.Value);
    }

    [Fact]
    public async Task A_running_action_ends_when_its_token_is_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        var gate = Gate.Open();
        var key = gate.Id;
        var rdd = Context.Range(0, long.MaxValue, partitions: 2).Map(i =>
        {
            Gate.Signal(key);
            return i;
        });
        var count = rdd.CountAsync(cancellation.Token);
        await gate.Signalled;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => count);

        // The slots are free again.
        Assert.Equal(10, Context.Range(0, 10, partitions: 4).Count());
    }

    [Fact]
    public async Task An_enumeration_that_is_given_up_cancels_what_it_asked_for()
    {
        await foreach (var item in Context.Range(0, 1000, partitions: 10).ToAsyncEnumerable())
        {
            if (item == 5) break;
        }
        Assert.Equal(10, Context.Range(0, 10, partitions: 4).Count());
    }

    [Fact]
    public void Every_action_has_an_Async_twin_with_a_cancellation_token()
    {
        var methods = new[] { typeof(Rdd<>), typeof(PairRdd), typeof(NumericRdd), typeof(OrderedRdd) }
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)).ToArray();
        var actions = methods.Where(method =>
            !method.IsSpecialName && !method.Name.EndsWith("Async", StringComparison.Ordinal) && !typeof(Rdd).IsAssignableFrom(method.ReturnType) && !IsListOfRdds(method.ReturnType)
            && !NotActions.Contains(method.Name)).ToArray();
        Assert.InRange(actions.Length, 40, 200);
        foreach (var action in actions)
        {
            var twin = action.Name == nameof(Rdd<int>.ToEnumerable) ? nameof(Rdd<int>.ToAsyncEnumerable) : action.Name + "Async";
            Assert.True(
                methods.Any(method => method.Name == twin && method.GetParameters().Length == action.GetParameters().Length + 1
                    && method.GetParameters()[^1].ParameterType == typeof(CancellationToken)),
                $"{action.DeclaringType!.Name}.{action.Name} has no twin {twin} with the same parameters and a CancellationToken");
        }
    }

    private static readonly HashSet<string> NotActions =
        ["Barrier", "ToAsyncEnumerable", "Compute", "Read", "ToDebugString", "ToString", "Equals", "GetHashCode", "Unpersist", "GetType"];

    private static bool IsListOfRdds(Type type) => type.IsGenericType && type.GetGenericArguments().Any(argument => typeof(Rdd).IsAssignableFrom(argument));

    /// <summary>Tells a test that a task has come to a certain place. By number, since a lambda takes copies of what it captures.</summary>
    private sealed class Gate
    {
        private static readonly System.Collections.Concurrent.ConcurrentDictionary<int, TaskCompletionSource> Gates = new();
        private static int _next;

        public int Id { get; private init; }

        public Task Signalled => Gates[Id].Task;

        public static Gate Open()
        {
            var gate = new Gate { Id = Interlocked.Increment(ref _next) };
            Gates[gate.Id] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return gate;
        }

        public static void Signal(int id) => Gates[id].TrySetResult();
    }
}
