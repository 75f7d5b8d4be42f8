using Dataflow.Closures;
using Dataflow.Fusion;
using Dataflow.Tasks;

namespace Dataflow;

// Actions: each is a job. The Async twin holds the code; the blocking one waits for it.
public abstract partial class Rdd<T>
{
    /// <summary>Brings all elements to the driver, in partition order.</summary>
    /// <remarks>Action. The elements must fit the driver's memory; more than <see cref="DataflowOptions.MaxResultBytes"/> are refused.
    /// <see cref="ToEnumerable"/> brings one partition at a time.</remarks>
    /// <exception cref="JobFailedException">A task failed for the last time, or the result is too large.</exception>
    public T[] Collect() => Wait(CollectAsync());

    /// <inheritdoc cref="Collect()"/>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<T[]> CollectAsync(CancellationToken cancellationToken = default)
    {
        var site = CallSite.Here("Collect");
        var parts = await Context.RunJobAsync(this, ResultLimit.Collect, null, site, cancellationToken).ConfigureAwait(false);
        return Join(parts);
    }

    /// <summary>Brings to the driver what <paramref name="select"/> makes of the elements that <paramref name="where"/> accepts.</summary>
    /// <remarks>Action. As <c>Filter(where).Map(select).Collect()</c>.</remarks>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="where">Which elements.</param>
    /// <param name="select">What becomes of them.</param>
    public TOut[] Collect<TOut>(Func<T, bool> where, Func<T, TOut> select) => Wait(CollectAsync(where, select));

    /// <inheritdoc cref="Collect{TOut}"/>
    /// <typeparam name="TOut">Element type of the result.</typeparam>
    /// <param name="where">Which elements.</param>
    /// <param name="select">What becomes of them.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public Task<TOut[]> CollectAsync<TOut>(Func<T, bool> where, Func<T, TOut> select, CancellationToken cancellationToken = default) =>
        Filter(where).Map(select).CollectAsync(cancellationToken);

    /// <summary>Counts the elements.</summary>
    /// <remarks>Action. Reads every partition, keeps nothing.</remarks>
    public long Count() => Wait(CountAsync());

    /// <inheritdoc cref="Count"/>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<long> CountAsync(CancellationToken cancellationToken = default)
    {
        var site = CallSite.Here("Count");
        var counts = await Context.RunJobAsync(this, CountChunks, null, site, cancellationToken).ConfigureAwait(false);
        return counts.Sum();
    }

    /// <summary>Whether there is no element at all.</summary>
    /// <remarks>Action. Looks at partitions until one has an element.</remarks>
    public bool IsEmpty() => Wait(IsEmptyAsync());

    /// <inheritdoc cref="IsEmpty"/>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<bool> IsEmptyAsync(CancellationToken cancellationToken = default)
    {
        var site = CallSite.Here("IsEmpty");
        return (await TakeAsync(1, site, cancellationToken).ConfigureAwait(false)).Length == 0;
    }

    /// <summary>The first element, in partition order.</summary>
    /// <remarks>Action. Looks at partitions until one has an element.</remarks>
    /// <exception cref="InvalidOperationException">There is no element.</exception>
    public T First() => Wait(FirstAsync());

    /// <inheritdoc cref="First"/>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<T> FirstAsync(CancellationToken cancellationToken = default)
    {
        var site = CallSite.Here("First");
        var first = await TakeAsync(1, site, cancellationToken).ConfigureAwait(false);
        return first.Length > 0 ? first[0] : throw Empty("First");
    }

    /// <summary>The first elements, in partition order. An action here, unlike LINQ's lazy Take.</summary>
    /// <remarks>Action. Reads one partition, then four times as many more each time, until it has enough.</remarks>
    /// <param name="count">How many at most; 0 or less gives none.</param>
    public T[] Take(int count) => Wait(TakeAsync(count));

    /// <inheritdoc cref="Take"/>
    /// <param name="count">How many at most; 0 or less gives none.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public Task<T[]> TakeAsync(int count, CancellationToken cancellationToken = default) =>
        TakeAsync(count, CallSite.Here("Take"), cancellationToken);

    internal async Task<T[]> TakeAsync(int count, CallSite site, CancellationToken cancellationToken)
    {
        if (count <= 0) return [];
        var taken = new List<T>();
        var next = 0;
        for (var scan = 1; taken.Count < count && next < PartitionCount; scan = Math.Min(scan * 4, PartitionCount))
        {
            var wanted = count - taken.Count;
            var partitions = Enumerable.Range(next, Math.Min(scan, PartitionCount - next)).ToArray();
            var parts = await Context.RunJobAsync(this, (reader, context) => ResultLimit.Take(reader, context, wanted), partitions, site, cancellationToken)
                .ConfigureAwait(false);
            foreach (var part in parts) taken.AddRange(part.AsSpan(0, Math.Min(part.Length, count - taken.Count)));
            next += partitions.Length;
        }
        return [.. taken];
    }

    /// <summary>The elements one by one, partition after partition, while the next partition is already being computed.</summary>
    /// <remarks>Action: one small job per partition, so cache what is not cheap. The driver holds at most two partitions.</remarks>
    public IEnumerable<T> ToEnumerable()
    {
        var site = CallSite.Here("ToEnumerable");
        using var cancellation = new CancellationTokenSource();
        Task<T[][]>? next = null;
        try
        {
            for (var i = 0; i < PartitionCount; i++)
            {
                var part = Wait(next ?? OnePartition(i, site, cancellation.Token))[0];
                next = i + 1 < PartitionCount ? OnePartition(i + 1, site, cancellation.Token) : null;
                foreach (var item in part) yield return item;
            }
        }
        finally
        {
            if (next is { IsCompleted: false }) cancellation.Cancel();
            _ = next?.ContinueWith(static task => task.Exception, System.Threading.Tasks.TaskScheduler.Default);
        }
    }

    /// <inheritdoc cref="ToEnumerable"/>
    /// <param name="cancellationToken">Cancels the running job and ends the sequence.</param>
    public async IAsyncEnumerable<T> ToAsyncEnumerable(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var site = CallSite.Here("ToAsyncEnumerable");
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<T[][]>? next = null;
        try
        {
            for (var i = 0; i < PartitionCount; i++)
            {
                var part = (await (next ?? OnePartition(i, site, cancellation.Token)).ConfigureAwait(false))[0];
                next = i + 1 < PartitionCount ? OnePartition(i + 1, site, cancellation.Token) : null;
                foreach (var item in part) yield return item;
            }
        }
        finally
        {
            if (next is { IsCompleted: false }) await cancellation.CancelAsync().ConfigureAwait(false);
            _ = next?.ContinueWith(static task => task.Exception, System.Threading.Tasks.TaskScheduler.Default);
        }
    }

    /// <summary>Merges all elements into one.</summary>
    /// <remarks>Action. Partial results merge in partition order, so the answer has the same digits every run.</remarks>
    /// <param name="merge">Associative. It may change its first argument and give it back.</param>
    /// <exception cref="InvalidOperationException">There is no element.</exception>
    public T Reduce(Func<T, T, T> merge) => Wait(ReduceAsync(merge));

    /// <inheritdoc cref="Reduce"/>
    /// <param name="merge">Associative. It may change its first argument and give it back.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task<T> ReduceAsync(Func<T, T, T> merge, CancellationToken cancellationToken = default)
    {
        var site = CallSite.Here("Reduce", merge);
        ClosureGuard.Check(merge, "Reduce");
        var parts = await Context.RunJobAsync(
            this, (reader, context) => (reader.TryReduce(merge, context, out var merged), merged), null, site, cancellationToken)
            .ConfigureAwait(false);
        var found = false;
        T result = default!;
        foreach (var (any, value) in parts)
        {
            if (!any) continue;
            result = found ? merge(result, value) : value;
            found = true;
        }
        return found ? result : throw Empty("Reduce");
    }

    /// <summary>Merges all elements into one, starting from a neutral element.</summary>
    /// <remarks>Action. The neutral element is used once for each partition and once more for the merge on the driver.</remarks>
    /// <param name="zero">Neutral: merging it changes nothing.</param>
    /// <param name="merge">Associative.</param>
    public T Fold(T zero, Func<T, T, T> merge) => Wait(FoldAsync(zero, merge));

    /// <inheritdoc cref="Fold"/>
    /// <param name="zero">Neutral: merging it changes nothing.</param>
    /// <param name="merge">Associative.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public Task<T> FoldAsync(T zero, Func<T, T, T> merge, CancellationToken cancellationToken = default) =>
        FoldPartitionsAsync("Fold", zero, merge, merge, cancellationToken);

    /// <summary>Folds the elements of each partition into an accumulator, then merges the accumulators in partition order.</summary>
    /// <remarks>Action. The argument order is PLINQ's.</remarks>
    /// <typeparam name="TAccumulate">Type of the accumulator.</typeparam>
    /// <param name="seed">Copied for each partition, so it may be a mutable object.</param>
    /// <param name="update">Adds one element to an accumulator and gives it back.</param>
    /// <param name="merge">Adds one accumulator to another and gives it back.</param>
    public TAccumulate Aggregate<TAccumulate>(
        TAccumulate seed, Func<TAccumulate, T, TAccumulate> update, Func<TAccumulate, TAccumulate, TAccumulate> merge) =>
        Wait(AggregateAsync(seed, update, merge));

    /// <inheritdoc cref="Aggregate"/>
    /// <typeparam name="TAccumulate">Type of the accumulator.</typeparam>
    /// <param name="seed">Copied for each partition, so it may be a mutable object.</param>
    /// <param name="update">Adds one element to an accumulator and gives it back.</param>
    /// <param name="merge">Adds one accumulator to another and gives it back.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public Task<TAccumulate> AggregateAsync<TAccumulate>(
        TAccumulate seed,
        Func<TAccumulate, T, TAccumulate> update,
        Func<TAccumulate, TAccumulate, TAccumulate> merge,
        CancellationToken cancellationToken = default) =>
        FoldPartitionsAsync("Aggregate", seed, update, merge, cancellationToken);

    /// <summary>Calls an action on each element, on the executors.</summary>
    /// <remarks>Action, for its side effects; they happen again when a task is retried.</remarks>
    /// <param name="action">Called once per element and attempt.</param>
    public void ForEach(Action<T> action) => Wait(ForEachAsync(action));

    /// <inheritdoc cref="ForEach"/>
    /// <param name="action">Called once per element and attempt.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task ForEachAsync(Action<T> action, CancellationToken cancellationToken = default)
    {
        var site = CallSite.Here("ForEach", action);
        ClosureGuard.Check(action, "ForEach");
        await Context.RunJobAsync(
            this,
            (reader, context) =>
            {
                reader.ForEach(action, context);
                return true;
            },
            null,
            site,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Calls an action on the iterator of each partition, on the executors.</summary>
    /// <remarks>Action, for its side effects; they happen again when a task is retried.</remarks>
    /// <param name="action">Called once per partition and attempt, also for empty ones.</param>
    public void ForEachPartition(Action<IEnumerable<T>> action) => Wait(ForEachPartitionAsync(action));

    /// <inheritdoc cref="ForEachPartition"/>
    /// <param name="action">Called once per partition and attempt, also for empty ones.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public async Task ForEachPartitionAsync(Action<IEnumerable<T>> action, CancellationToken cancellationToken = default)
    {
        var site = CallSite.Here("ForEachPartition", action);
        ClosureGuard.Check(action, "ForEachPartition");
        await Context.RunJobAsync(
            this,
            (reader, _) =>
            {
                action(reader.AsEnumerable());
                return true;
            },
            null,
            site,
            cancellationToken).ConfigureAwait(false);
    }

    internal static TResult Wait<TResult>(Task<TResult> task) => task.GetAwaiter().GetResult();

    internal static void Wait(Task task) => task.GetAwaiter().GetResult();

    internal InvalidOperationException Empty(string action) =>
        new($"{action} needs at least one element, but {this} has none.");

    private static long CountChunks(ChunkReader<T> reader, TaskContext context) => reader.CountElements(context);

    private async Task<TAccumulate> FoldPartitionsAsync<TAccumulate>(
        string operation,
        TAccumulate seed,
        Func<TAccumulate, T, TAccumulate> update,
        Func<TAccumulate, TAccumulate, TAccumulate> merge,
        CancellationToken cancellationToken)
    {
        var site = CallSite.Here(operation, update);
        ClosureGuard.Check(update, operation);
        ClosureGuard.Check(merge, operation);
        var copies = new SeedCopies<TAccumulate>(seed);
        var parts = await Context.RunJobAsync(
            this,
            (reader, context) => ResultLimit.Checked(reader.Fold(copies.Next(), update, context), context),
            null,
            site,
            cancellationToken).ConfigureAwait(false);
        return parts.Aggregate(copies.Next(), merge);
    }

    private Task<T[][]> OnePartition(int index, CallSite site, CancellationToken cancellationToken) =>
        Context.RunJobAsync(this, ResultLimit.Collect, [index], site, cancellationToken);

    private static T[] Join(T[][] parts)
    {
        if (parts.Length == 1) return parts[0];
        var result = new T[checked((int)parts.Sum(part => (long)part.Length))];
        var next = 0;
        foreach (var part in parts)
        {
            part.CopyTo(result, next);
            next += part.Length;
        }
        return result;
    }
}
