using Dataflow.Sql.Columns;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Caching;

/// <summary>What one partition of a cached frame holds; sent to the driver by the task that fills it.</summary>
/// <param name="Partition">Which.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Bytes">Bytes of its blocks.</param>
/// <param name="Columns">What is known of each column.</param>
internal sealed record CachePart(int Partition, long Rows, long Bytes, CacheColumnCounts[] Columns);

/// <summary>What is known of a column of a partition.</summary>
/// <param name="IsKnown">Whether there are keys: at least one value, of a type that has them.</param>
/// <param name="Min">Key of the smallest value: high and low half.</param>
/// <param name="Max">Key of the largest value.</param>
/// <param name="Nulls">Rows that are null.</param>
/// <param name="Distinct">Values of the largest dictionary; -1 if a block has none.</param>
internal sealed record CacheColumnCounts(bool IsKnown, Int128 Min, Int128 Max, long Nulls, long Distinct);

/// <summary>Adds up the blocks of one partition, and tells the driver at its end.</summary>
internal sealed unsafe class CacheCounts(CollectionAccumulator<CachePart> parts, int partition, int columns)
{
    private readonly CacheColumnCounts[] _columns = [.. Enumerable.Range(0, columns).Select(_ => new CacheColumnCounts(false, 0, 0, 0, 0))];
    private long _rows;
    private long _bytes;

    /// <summary>Counts a block.</summary>
    public void Add(byte* block, int bytes)
    {
        var header = (CacheHeader*)block;
        _rows += header->Rows;
        _bytes += bytes;
        for (var i = 0; i < _columns.Length; i++)
        {
            var (isKnown, min, max, nulls, distinct) = _columns[i];
            for (var batch = 0; batch < header->Batches; batch++)
            {
                var zone = CacheBlock.ZonesOf(block, i) + batch;
                nulls += zone->Nulls;
                if (zone->IsKnown == 0) continue;
                min = isKnown ? Int128.Min(min, zone->Min) : zone->Min;
                max = isKnown ? Int128.Max(max, zone->Max) : zone->Max;
                isKnown = true;
            }
            var entry = CacheBlock.ColumnsOf(block) + i;
            distinct = entry->Dictionary == 0 || distinct < 0 ? -1 : Math.Max(distinct, entry->DictionaryCount);
            _columns[i] = new CacheColumnCounts(isKnown, min, max, nulls, distinct);
        }
    }

    /// <summary>Tells the driver.</summary>
    public void Finish() => parts.Add(new CachePart(partition, _rows, _bytes, _columns));

    /// <summary>Statistics of a table, when all its partitions are filled; else null.</summary>
    /// <param name="parts">What was told, of some partitions maybe more than once.</param>
    /// <param name="partitions">How many partitions there are.</param>
    /// <param name="types">The types of the columns.</param>
    /// <param name="before">What was known of a column before.</param>
    /// <param name="isRepeatable">Whether a partition that is computed again has the same values, so that bounds hold.</param>
    public static TableStatistics? Sum(
        IEnumerable<CachePart> parts, int partitions, ValueList<DataType> types, Func<int, ColumnStatistics?> before, bool isRepeatable)
    {
        var last = new Dictionary<int, CachePart>();
        foreach (var part in parts) last[part.Partition] = part;
        if (last.Count < partitions) return null;
        var columns = new Dictionary<int, ColumnStatistics>();
        var rows = last.Values.Sum(part => part.Rows);
        for (var i = 0; i < types.Count; i++)
        {
            var counts = last.Values.Select(part => part.Columns[i]).ToList();
            var known = counts.Where(each => each.IsKnown).ToList();
            var bounds = !isRepeatable || known.Count == 0 || !ZoneKey.IsValue(types[i].Physical)
                ? null : new ValueBounds(known.Min(each => each.Min), known.Max(each => each.Max));
            var distinct = before(i)?.Distinct ?? -1;
            if (distinct < 0 && counts.All(each => each.Distinct > 0)) distinct = counts.Max(each => each.Distinct);
            if (distinct > rows) distinct = -1;
            columns[i] = new ColumnStatistics(bounds, counts.Sum(each => each.Nulls), distinct);
        }
        return new TableStatistics(rows, last.Values.Sum(part => part.Bytes)) { Columns = columns };
    }
}
