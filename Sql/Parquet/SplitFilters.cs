using Dataflow.Sql.Columns;
using Dataflow.Sql.ParquetMetadata;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Parquet;

/// <summary>What filters say about the rows of a row group before any is decoded: those of the query by page index and Bloom filters, dynamic ones by
/// statistics of the row group and of its pages.</summary>
internal sealed class SplitFilters
{
    private readonly ParquetSplit _split;
    private readonly List<Known> _known = [];

    /// <summary>Keeps the filters for whose fields the row group has bounds.</summary>
    public SplitFilters(ParquetSplit split, IReadOnlyList<IDynamicFilter> filters)
    {
        _split = split;
        foreach (var filter in filters)
        {
            foreach (var column in split.Columns)
            {
                if (column.Field != filter.Field) continue;
                var bounds = column.Source is { } source ? StatisticsBounds.Of(source, column.Chunk!.Statistics) : ConstantColumn.BoundsOf(column.Constant);
                if (bounds is not null) _known.Add(new Known(filter, column, bounds));
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
            foreach (var known in _known)
            {
                if (known.Filter.Bounds is { } wanted && !Overlap(known.Bounds, wanted)) return true;
            }
            return false;
        }
    }

    /// <summary>The first row, from one on, of a page that dynamic filters may want. Without an index of pages it is the row itself.</summary>
    /// <param name="file">The file of the row group.</param>
    /// <param name="row">A row of the row group.</param>
    public long NextWanted(Stream file, long row)
    {
        for (var i = 0; i < _known.Count; i++)
        {
            var next = NextWanted(_known[i], file, row);
            if (next == row) continue;

            // Rows that one filter begins at may be passed over by another.
            row = next;
            i = -1;
        }
        return row;
    }

    private long NextWanted(Known known, Stream file, long row)
    {
        if (known.Filter.Bounds is not { } wanted || known.Column.Source is not { } source) return row;
        if (!known.HasPages)
        {
            known.HasPages = true;
            known.Pages = PageIndex.BoundsOf(file, source, known.Column.Chunk!, _split.GroupRows);
        }
        if (known.Pages is not { } pages) return row;
        var page = 0;
        while (page + 1 < pages.Length && pages[page + 1].FirstRow <= row) page++;
        while (page < pages.Length && pages[page].Bounds is { } bounds && !Overlap(bounds, wanted))
        {
            page++;
            row = page < pages.Length ? pages[page].FirstRow : _split.GroupRows;
        }
        return row;
    }

    private static bool Overlap(ValueBounds mine, ValueBounds wanted) => mine.Max >= wanted.Min && mine.Min <= wanted.Max;

    private sealed class Known(IDynamicFilter filter, SplitColumn column, ValueBounds bounds)
    {
        public IDynamicFilter Filter => filter;

        public SplitColumn Column => column;

        public ValueBounds Bounds => bounds;

        public bool HasPages { get; set; }

        public (long FirstRow, ValueBounds? Bounds)[]? Pages { get; set; }
    }
}
