using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using Dataflow.Closures;
using Dataflow.Serialization;

namespace Dataflow.Surrogates;

/// <summary>
/// .NET's collections travel by content, with their comparers: the hash codes of texts and of objects differ from process to process, so
/// their fields would be nonsense elsewhere.
/// </summary>
internal static class CollectionForms
{
    private static readonly Dictionary<Type, string> Makers = new()
    {
        [typeof(List<>)] = nameof(List),
        [typeof(Dictionary<,>)] = nameof(Dictionary),
        [typeof(HashSet<>)] = nameof(HashSet),
        [typeof(SortedDictionary<,>)] = nameof(SortedDictionary),
        [typeof(SortedList<,>)] = nameof(SortedList),
        [typeof(SortedSet<>)] = nameof(SortedSet),
        [typeof(Queue<>)] = nameof(Queue),
        [typeof(Stack<>)] = nameof(Stack),
        [typeof(LinkedList<>)] = nameof(LinkedList),
        [typeof(PriorityQueue<,>)] = nameof(PriorityQueue),
        [typeof(OrderedDictionary<,>)] = nameof(OrderedDictionary),
        [typeof(ConcurrentDictionary<,>)] = nameof(ConcurrentDictionary),
        [typeof(ConcurrentQueue<>)] = nameof(ConcurrentQueue),
        [typeof(ConcurrentStack<>)] = nameof(ConcurrentStack),
        [typeof(ConcurrentBag<>)] = nameof(ConcurrentBag),
        [typeof(ImmutableArray<>)] = nameof(ImmutableArray),
        [typeof(ImmutableList<>)] = nameof(ImmutableList),
        [typeof(ImmutableDictionary<,>)] = nameof(ImmutableDictionary),
        [typeof(ImmutableSortedDictionary<,>)] = nameof(ImmutableSortedDictionary),
        [typeof(ImmutableHashSet<>)] = nameof(ImmutableHashSet),
        [typeof(ImmutableSortedSet<>)] = nameof(ImmutableSortedSet),
        [typeof(ImmutableQueue<>)] = nameof(ImmutableQueue),
        [typeof(ImmutableStack<>)] = nameof(ImmutableStack),
        [typeof(FrozenDictionary<,>)] = nameof(FrozenDictionary),
        [typeof(FrozenSet<>)] = nameof(FrozenSet),
        [typeof(ReadOnlyMemory<>)] = nameof(ReadOnlyMemory),
        [typeof(Memory<>)] = nameof(Memory),
        [typeof(ArraySegment<>)] = nameof(ArraySegment),
        [typeof(Lazy<>)] = nameof(Lazy),
    };

    /// <summary>The form of a collection type; null for any other type.</summary>
    public static Form? Find(Type type)
    {
        // Frozen collections are of many classes, chosen by what they hold.
        for (var at = type; at is not null; at = at.BaseType)
        {
            if (!at.IsGenericType || !Makers.TryGetValue(at.GetGenericTypeDefinition(), out var name)) continue;
            if (at != type && !RuntimeCode.Brings(type.Assembly)) return null;
            return (Form)typeof(CollectionForms).GetMethod(name, System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic)!
                .MakeGenericMethod(at.GetGenericArguments()).Invoke(null, null)!;
        }
        return null;
    }

    /// <summary>Whether a class built on this one would have hash codes of this process in its fields.</summary>
    public static bool IsCollection(Type type) => type.IsGenericType && Makers.ContainsKey(type.GetGenericTypeDefinition());

    private static Form List<T>() => new GrowingForm<List<T>, T>(static list => [.. list], static (_, count) => new List<T>(count), static (list, item) => list.Add(item));

    private static Form Dictionary<TKey, TValue>()
        where TKey : notnull => new GrowingForm<Dictionary<TKey, TValue>, KeyValuePair<TKey, TValue>>(
        static map => [.. map], static (comparer, count) => new(count, (IEqualityComparer<TKey>?)comparer),
        static (map, pair) => map.Add(pair.Key, pair.Value), static map => map.Comparer);

    private static Form HashSet<T>() => new GrowingForm<HashSet<T>, T>(
        static set => [.. set], static (comparer, count) => new(count, (IEqualityComparer<T>?)comparer), static (set, item) => set.Add(item), static set => set.Comparer);

    private static Form SortedDictionary<TKey, TValue>()
        where TKey : notnull => new GrowingForm<SortedDictionary<TKey, TValue>, KeyValuePair<TKey, TValue>>(
        static map => [.. map], static (comparer, _) => new((IComparer<TKey>?)comparer),
        static (map, pair) => map.Add(pair.Key, pair.Value), static map => map.Comparer);

    private static Form SortedList<TKey, TValue>()
        where TKey : notnull => new GrowingForm<SortedList<TKey, TValue>, KeyValuePair<TKey, TValue>>(
        static map => [.. map], static (comparer, count) => new(count, (IComparer<TKey>?)comparer),
        static (map, pair) => map.Add(pair.Key, pair.Value), static map => map.Comparer);

    private static Form SortedSet<T>() => new GrowingForm<SortedSet<T>, T>(
        static set => [.. set], static (comparer, _) => new((IComparer<T>?)comparer), static (set, item) => set.Add(item), static set => set.Comparer);

    private static Form Queue<T>() => new GrowingForm<Queue<T>, T>(static queue => [.. queue], static (_, count) => new(count), static (queue, item) => queue.Enqueue(item));

    // A stack lists its top first.
    private static Form Stack<T>() => new GrowingForm<Stack<T>, T>(
        static stack => [.. stack.Reverse()], static (_, count) => new(count), static (stack, item) => stack.Push(item));

    private static Form LinkedList<T>() => new GrowingForm<LinkedList<T>, T>(static list => [.. list], static (_, _) => new(), static (list, item) => list.AddLast(item));

    private static Form PriorityQueue<TElement, TPriority>() => new GrowingForm<PriorityQueue<TElement, TPriority>, (TElement Element, TPriority Priority)>(
        static queue => [.. queue.UnorderedItems], static (comparer, count) => new(count, (IComparer<TPriority>?)comparer),
        static (queue, item) => queue.Enqueue(item.Element, item.Priority), static queue => queue.Comparer);

    private static Form OrderedDictionary<TKey, TValue>()
        where TKey : notnull => new GrowingForm<OrderedDictionary<TKey, TValue>, KeyValuePair<TKey, TValue>>(
        static map => [.. map], static (comparer, count) => new(count, (IEqualityComparer<TKey>?)comparer),
        static (map, pair) => map.Add(pair.Key, pair.Value), static map => map.Comparer);

    private static Form ConcurrentDictionary<TKey, TValue>()
        where TKey : notnull => new GrowingForm<ConcurrentDictionary<TKey, TValue>, KeyValuePair<TKey, TValue>>(
        static map => map.ToArray(), static (comparer, _) => new((IEqualityComparer<TKey>?)comparer),
        static (map, pair) => map[pair.Key] = pair.Value, static map => map.Comparer);

    private static Form ConcurrentQueue<T>() =>
        new GrowingForm<ConcurrentQueue<T>, T>(static queue => queue.ToArray(), static (_, _) => new(), static (queue, item) => queue.Enqueue(item));

    private static Form ConcurrentStack<T>() => new GrowingForm<ConcurrentStack<T>, T>(
        static stack => [.. stack.ToArray().Reverse()], static (_, _) => new(), static (stack, item) => stack.Push(item));

    private static Form ConcurrentBag<T>() =>
        new GrowingForm<ConcurrentBag<T>, T>(static bag => [.. bag.ToArray().Reverse()], static (_, _) => new(), static (bag, item) => bag.Add(item));

    private static Form ImmutableArray<T>() => new WholeForm<ImmutableArray<T>, T>(
        static array => array.IsDefault ? null : [.. array], static (items, _) => items is null ? default : System.Collections.Immutable.ImmutableArray.Create(items));

    private static Form ImmutableList<T>() =>
        new WholeForm<ImmutableList<T>, T>(static list => [.. list], static (items, _) => System.Collections.Immutable.ImmutableList.Create(items!));

    private static Form ImmutableDictionary<TKey, TValue>()
        where TKey : notnull => new WholeForm<ImmutableDictionary<TKey, TValue>, KeyValuePair<TKey, TValue>>(
        static map => [.. map],
        static (items, comparers) => System.Collections.Immutable.ImmutableDictionary.CreateRange(
            (IEqualityComparer<TKey>?)comparers[0], (IEqualityComparer<TValue>?)comparers[1], items!),
        static map => [map.KeyComparer, map.ValueComparer]);

    private static Form ImmutableSortedDictionary<TKey, TValue>()
        where TKey : notnull => new WholeForm<ImmutableSortedDictionary<TKey, TValue>, KeyValuePair<TKey, TValue>>(
        static map => [.. map],
        static (items, comparers) => System.Collections.Immutable.ImmutableSortedDictionary.CreateRange(
            (IComparer<TKey>?)comparers[0], (IEqualityComparer<TValue>?)comparers[1], items!),
        static map => [map.KeyComparer, map.ValueComparer]);

    private static Form ImmutableHashSet<T>() => new WholeForm<ImmutableHashSet<T>, T>(
        static set => [.. set],
        static (items, comparers) => System.Collections.Immutable.ImmutableHashSet.Create((IEqualityComparer<T>?)comparers[0], items!),
        static set => [set.KeyComparer]);

    private static Form ImmutableSortedSet<T>() => new WholeForm<ImmutableSortedSet<T>, T>(
        static set => [.. set],
        static (items, comparers) => System.Collections.Immutable.ImmutableSortedSet.Create((IComparer<T>?)comparers[0], items!),
        static set => [set.KeyComparer]);

    private static Form ImmutableQueue<T>() =>
        new WholeForm<ImmutableQueue<T>, T>(static queue => [.. queue], static (items, _) => System.Collections.Immutable.ImmutableQueue.Create(items!));

    private static Form ImmutableStack<T>() => new WholeForm<ImmutableStack<T>, T>(
        static stack => [.. stack.Reverse()], static (items, _) => System.Collections.Immutable.ImmutableStack.Create(items!));

    private static Form FrozenDictionary<TKey, TValue>()
        where TKey : notnull => new WholeForm<FrozenDictionary<TKey, TValue>, KeyValuePair<TKey, TValue>>(
        static map => [.. map], static (items, comparers) => items!.ToFrozenDictionary((IEqualityComparer<TKey>?)comparers[0]), static map => [map.Comparer]);

    private static Form FrozenSet<T>() => new WholeForm<FrozenSet<T>, T>(
        static set => [.. set], static (items, comparers) => items!.ToFrozenSet((IEqualityComparer<T>?)comparers[0]), static set => [set.Comparer]);

    private static Form ReadOnlyMemory<T>() => new SliceForm<ReadOnlyMemory<T>, T>(static slice => slice, static items => items);

    private static Form Memory<T>() => new SliceForm<Memory<T>, T>(static slice => slice, static items => items);

    private static Form ArraySegment<T>() => new SliceForm<ArraySegment<T>, T>(static slice => slice, static items => new ArraySegment<T>(items));

    private static Form Lazy<T>() => new LazyForm<T>();
}
