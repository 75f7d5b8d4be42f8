using Dataflow.Sql.Columns;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Parquet;

/// <summary>What filters say about the rows of a row group: those of the query by page index and Bloom filters, dynamic ones by statistics.</summary>
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
                if (column.Field != filter.Field) continue;
                var bounds = column.Source is { } source ? StatisticsBounds.Of(source, column.Chunk!.Statistics) : ConstantColumn.BoundsOf(column.Constant);
                if (bounds is not null) _known.Add((filter, bounds));
            }
        }
    }

    /// <summary>The rows that can be wanted, as far as page index and Bloom filters say.</summary>
    /// <param name="split">The row group.</param>
    /// <param name="file">Its file.</param>
    public static RowRanges RowsOf(ParquetSplit split, Stream file)
    {
        var rows = RowRanges.Of(split.StartRow, split.StartRow + split.ReadRows);
        foreach (var (filter, column, chunk) in split.Filters)
        {
            if (BloomFilter.Rejects(file, filter, column, chunk)) return new RowRanges();
            if (PageIndex.RowsOf(file, filter, column, chunk, split.GroupRows) is { } found) rows = rows.And(found);
        }
        return rows;
    }

    /// <summary>Whether no row is wanted by the dynamic filters. Asked again for every batch: bounds become known, and narrower, while the query runs.</summary>
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
