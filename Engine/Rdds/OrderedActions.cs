using Dataflow.Closures;
using Dataflow.Sorting;

namespace Dataflow;

// Actions that need an order.
public abstract partial class Rdd<T>
{
    /// <summary>The largest elements by a key, largest first; of equal ones, those that come first in partition order.</summary>
    /// <remarks>Action. Each task keeps <paramref name="count"/> elements; nothing is shuffled.</remarks>
    /// <typeparam name="TKey">Type of the key.</typeparam>
    /// <param name="count">How many at most; 0 or less gives none.</param>
    /// <param name="by">The key of an element.</param>
    /// <param name="comparer">The order of keys; null takes the natural one, ordinal for strings.</param>
    public T[] Top<TKey>(int count, Func<T, TKey> by, IComparer<TKey>? comparer = null) => Wait(TopAsync(count, by, comparer));

    /// <inheritdoc cref="Top{TKey}"/>
    /// <typeparam name="TKey">Type of the key.</typeparam>
    /// <param name="count">How many at most; 0 or less gives none.</param>
    /// <param name="by">The key of an element.</param>
    /// <param name="comparer">The order of keys; null takes the natural one, ordinal for strings.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public Task<T[]> TopAsync<TKey>(int count, Func<T, TKey> by, IComparer<TKey>? comparer = null, CancellationToken cancellationToken = default) =>
        FirstByAsync("Top", count, by, new KeyOrder<TKey>(true, comparer), cancellationToken);

    /// <summary>The largest elements, largest first.</summary>
    /// <remarks>Action. Each task keeps <paramref name="count"/> elements; nothing is shuffled.</remarks>
    /// <param name="count">How many at most; 0 or less gives none.</param>
    public T[] Top(int count) => Wait(TopAsync(count));

    /// <inheritdoc cref="Top(int)"/>
    /// <param name="count">How many at most; 0 or less gives none.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public Task<T[]> TopAsync(int count, CancellationToken cancellationToken = default) =>
        FirstByAsync("Top", count, static item => item, new KeyOrder<T>(true), cancellationToken);

    /// <summary>The smallest elements by a key, smallest first; of equal ones, those that come first in partition order.</summary>
    /// <remarks>Action. Each task keeps <paramref name="count"/> elements; nothing is shuffled.</remarks>
    /// <typeparam name="TKey">Type of the key.</typeparam>
    /// <param name="count">How many at most; 0 or less gives none.</param>
    /// <param name="by">The key of an element.</param>
    /// <param name="comparer">The order of keys; null takes the natural one, ordinal for strings.</param>
    public T[] TakeOrdered<TKey>(int count, Func<T, TKey> by, IComparer<TKey>? comparer = null) => Wait(TakeOrderedAsync(count, by, comparer));

    /// <inheritdoc cref="TakeOrdered{TKey}"/>
    /// <typeparam name="TKey">Type of the key.</typeparam>
    /// <param name="count">How many at most; 0 or less gives none.</param>
    /// <param name="by">The key of an element.</param>
    /// <param name="comparer">The order of keys; null takes the natural one, ordinal for strings.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public Task<T[]> TakeOrderedAsync<TKey>(
        int count, Func<T, TKey> by, IComparer<TKey>? comparer = null, CancellationToken cancellationToken = default) =>
        FirstByAsync("TakeOrdered", count, by, new KeyOrder<TKey>(false, comparer), cancellationToken);

    /// <summary>The smallest elements, smallest first.</summary>
    /// <remarks>Action. Each task keeps <paramref name="count"/> elements; nothing is shuffled.</remarks>
    /// <param name="count">How many at most; 0 or less gives none.</param>
    public T[] TakeOrdered(int count) => Wait(TakeOrderedAsync(count));

    /// <inheritdoc cref="TakeOrdered(int)"/>
    /// <param name="count">How many at most; 0 or less gives none.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public Task<T[]> TakeOrderedAsync(int count, CancellationToken cancellationToken = default) =>
        FirstByAsync("TakeOrdered", count, static item => item, new KeyOrder<T>(false), cancellationToken);

    /// <summary>The largest element; of equal ones, the first in partition order.</summary>
    /// <remarks>Action.</remarks>
    /// <param name="comparer">The order; null takes the natural one, ordinal for strings.</param>
    /// <exception cref="InvalidOperationException">There is no element.</exception>
    public T Max(IComparer<T>? comparer = null) => Wait(MaxAsync(comparer));

    /// <inheritdoc cref="Max"/>
    /// <param name="comparer">The order; null takes the natural one, ordinal for strings.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public Task<T> MaxAsync(IComparer<T>? comparer = null, CancellationToken cancellationToken = default) =>
        ExtremeAsync("Max", new KeyOrder<T>(true, comparer), cancellationToken);

    /// <summary>The smallest element; of equal ones, the first in partition order.</summary>
    /// <remarks>Action.</remarks>
    /// <param name="comparer">The order; null takes the natural one, ordinal for strings.</param>
    /// <exception cref="InvalidOperationException">There is no element.</exception>
    public T Min(IComparer<T>? comparer = null) => Wait(MinAsync(comparer));

    /// <inheritdoc cref="Min"/>
    /// <param name="comparer">The order; null takes the natural one, ordinal for strings.</param>
    /// <param name="cancellationToken">Cancels the job.</param>
    public Task<T> MinAsync(IComparer<T>? comparer = null, CancellationToken cancellationToken = default) =>
        ExtremeAsync("Min", new KeyOrder<T>(false, comparer), cancellationToken);

    private async Task<T> ExtremeAsync(string operation, KeyOrder<T> order, CancellationToken cancellationToken)
    {
        var first = await FirstByAsync(operation, 1, static item => item, order, cancellationToken).ConfigureAwait(false);
        return first.Length > 0 ? first[0] : throw Empty(operation);
    }

    private async Task<T[]> FirstByAsync<TKey>(
        string operation, int count, Func<T, TKey> by, KeyOrder<TKey> order, CancellationToken cancellationToken)
    {
        var site = CallSite.Here(operation, by);
        ClosureGuard.Check(by, operation, site);
        if (count <= 0) return [];
        var parts = await Context.RunJobAsync(this, (reader, context) => ResultLimit.Checked(Kept(reader, count, by, order), context), null, site, cancellationToken)
            .ConfigureAwait(false);
        return [.. order.Sort(parts.SelectMany(part => part), by).Take(count)];
    }

    // A heap of the best so far, the worst on top. Earlier elements win ties, so positions count too.
    private static T[] Kept<TKey>(ChunkReader<T> reader, int count, Func<T, TKey> by, KeyOrder<TKey> order)
    {
        var worstFirst = Comparer<(TKey Key, long Position)>.Create((a, b) =>
        {
            var compared = order.Compare(b.Key, a.Key);
            return compared != 0 ? compared : b.Position.CompareTo(a.Position);
        });
        var heap = new PriorityQueue<T, (TKey Key, long Position)>(worstFirst);
        var position = 0L;
        while (reader.TryRead(out var chunk))
        {
            foreach (var item in chunk)
            {
                var key = by(item);
                if (heap.Count < count) heap.Enqueue(item, (key, position));
                else if (heap.TryPeek(out _, out var worst) && order.Compare(key, worst.Key) < 0) heap.EnqueueDequeue(item, (key, position));
                position++;
            }
        }
        var result = new T[heap.Count];
        for (var i = result.Length - 1; i >= 0; i--) result[i] = heap.Dequeue();
        return result;
    }
}
