namespace Dataflow.Sorting;

/// <summary>An order of keys: by prefix first, where the type has one, and by a comparer where prefixes are equal.</summary>
/// <remarks>Strings sort ordinally, so that every machine agrees; null sorts first, as <see cref="Comparer{T}"/> has it.</remarks>
/// <typeparam name="TKey">The key type.</typeparam>
internal sealed class KeyOrder<TKey> : IComparer<TKey>
{
    private readonly IComparer<TKey> _comparer;
    private readonly Func<TKey, ulong>? _prefix;
    private readonly bool _descending;

    public KeyOrder(bool descending, IComparer<TKey>? comparer = null)
    {
        _descending = descending;
        if (comparer is null)
        {
            ThrowIfNotComparable();
            _comparer = typeof(TKey) == typeof(string) ? (IComparer<TKey>)(object)StringComparer.Ordinal : Comparer<TKey>.Default;
            _prefix = SortPrefix<TKey>.Of;
            IsExact = _prefix is not null && SortPrefix<TKey>.IsExact;
        }
        else
        {
            _comparer = comparer;
        }
    }

    /// <summary>Whether keys with equal prefixes are equal.</summary>
    public bool IsExact { get; }

    /// <summary>Whether prefixes tell anything.</summary>
    public bool HasPrefix => _prefix is not null;

    public bool Descending => _descending;

    /// <summary>64 bits that sort in this order; 0 for all keys when the type has no prefix.</summary>
    public ulong PrefixOf(TKey key)
    {
        if (_prefix is null) return 0;
        var prefix = _prefix(key);
        return _descending ? ~prefix : prefix;
    }

    public int Compare(TKey? x, TKey? y) => _descending ? _comparer.Compare(y, x) : _comparer.Compare(x, y);

    /// <summary>Whether two orders sort all keys alike.</summary>
    public bool SameAs(KeyOrder<TKey> other) => _descending == other._descending && _comparer.Equals(other._comparer);

    private static void ThrowIfNotComparable()
    {
        var type = Nullable.GetUnderlyingType(typeof(TKey)) ?? typeof(TKey);
        if (type.IsEnum || typeof(IComparable).IsAssignableFrom(type) || typeof(IComparable<>).MakeGenericType(type).IsAssignableFrom(type)) return;
        throw new NotSupportedException(
            $"Keys of type {type} have no order. Let the type implement IComparable<{type.Name}>, sort by a part of it, or pass a comparer.");
    }
}
