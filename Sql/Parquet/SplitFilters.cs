using Dataflow.Sql.Columns;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Parquet;

/// <summary>What dynamic filters say about a row group: whether any row of it can still be wanted.</summary>
internal sealed class SplitFilters
{
    private readonly List<(IDynamicFilter Filter, ValueBounds Bounds)> _known = [];

    /// <summary>Keeps the filters for whose fields the row group has bounds.</summary>
    public SplitFilters(ParquetSplit split, IReadOnlyList<IDynamicFilter> filters)
    {
        foreach (var filter in filters)
        {
            foreach (var column in split.Columns)
            {
                if (column.Field == filter.Field && column.Source is { } source && StatisticsBounds.Of(source, column.Chunk!.Statistics) is { } bounds) _known.Add((filter, bounds));
            }
        }
    }

    /// <summary>Whether no row is wanted. Asked again for every batch: bounds become known, and narrower, while the query runs.</summary>
    public bool RejectsAll
    {
        get
        {
            foreach (var (filter, bounds) in _known)
            {
                if (filter.Bounds is { } wanted && (bounds.Max < wanted.Min || bounds.Min > wanted.Max)) return true;
            }
            return false;
        }
    }
}
