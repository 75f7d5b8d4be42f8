using System.Runtime.ExceptionServices;
using Dataflow.Closures;

namespace Dataflow.Sorting;

/// <summary>An order of keys: by prefix first, where the type has one, and by a comparer where prefixes are equal.</summary>
/// <remarks>Without a comparer it is <see cref="NaturalOrder{TKey}"/>: ordinal for strings, so that every machine agrees; null sorts first.</remarks>
/// <typeparam name="TKey">The key type.</typeparam>
internal sealed class KeyOrder<TKey> : IComparer<TKey>, ITraveller
{
    // Natural orders are compiled, and made again where they are needed.
    [DriverOnly]
    private IComparer<TKey> _comparer;
    [DriverOnly]
    private Func<TKey, ulong>? _prefix;
    private readonly IComparer<TKey>? _given;
    private readonly bool _descending;

    public KeyOrder(bool descending, IComparer<TKey>? comparer = null)
    {
        _descending = descending;
        if (comparer is null)
        {
            NaturalOrder.Require(typeof(TKey));
            _comparer = NaturalOrder<TKey>.Comparer;
            _prefix = SortPrefix<TKey>.Of;
            IsExact = _prefix is not null && SortPrefix<TKey>.IsExact;
        }
        else
        {
            _comparer = _given = comparer;
        }
    }

    void ITraveller.Arrived(ReadContext context)
    {
        _comparer = _given ?? NaturalOrder<TKey>.Comparer;
        _prefix = _given is null ? SortPrefix<TKey>.Of : null;
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

    /// <summary>Sorts, stably, on the driver. What comparing throws comes through as it is: .NET would only say that two elements could not be compared.</summary>
    public TItem[] Sort<TItem>(IEnumerable<TItem> items, Func<TItem, TKey> by)
    {
        try
        {
            return [.. items.OrderBy(by, this)];
        }
        catch (InvalidOperationException error) when (error.InnerException is { } thrown)
        {
            ExceptionDispatchInfo.Throw(thrown);
            throw;
        }
    }

    /// <summary>Whether two orders sort all keys alike.</summary>
    public bool SameAs(KeyOrder<TKey> other) => _descending == other._descending && _comparer.Equals(other._comparer);
}
