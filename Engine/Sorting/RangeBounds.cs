namespace Dataflow.Sorting;

/// <summary>Finds the range that a key falls into: range i holds the keys from bound i - 1, inclusive, to bound i, exclusive.</summary>
internal sealed class RangeBounds<TKey>(TKey[] bounds, KeyOrder<TKey> order)
{
    private readonly ulong[] _prefixes = [.. bounds.Select(order.PrefixOf)];

    public int Count => bounds.Length + 1;

    public TKey[] Keys => bounds;

    public int RangeOf(TKey key) => RangeOf(key, order.PrefixOf(key));

    public int RangeOf(TKey key, ulong prefix)
    {
        // First bound that is greater than the key; prefixes decide nearly always.
        int low = 0, high = bounds.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            var bound = _prefixes[middle];
            var greater = bound != prefix ? bound > prefix : !order.IsExact && order.Compare(bounds[middle], key) > 0;
            if (greater) high = middle;
            else low = middle + 1;
        }
        return low;
    }
}
