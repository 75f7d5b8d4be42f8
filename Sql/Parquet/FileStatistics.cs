using Dataflow.Sql.Columns;
using Dataflow.Sql.ParquetMetadata;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Parquet;

/// <summary>What footers tell about a table.</summary>
internal static class FileStatistics
{
    /// <summary>Puts the statistics of all row groups together.</summary>
    public static TableStatistics Of(Schema schema, TableFile[] files)
    {
        var (rows, bytes) = (0L, 0L);
        foreach (var file in files)
        {
            rows += file.Metadata.Rows;
            foreach (var group in file.Metadata.RowGroups) bytes += group.Chunks.Sum(chunk => chunk.Bytes);
        }
        var columns = new Dictionary<int, ColumnStatistics>();
        var all = new ValueList<int>(Enumerable.Range(0, schema.Count));
        var sources = Array.ConvertAll(files, file => FileMerge.Columns(schema, file, all));
        for (var field = 0; field < schema.Count; field++) columns[field] = OfColumn(field, schema, files, sources, rows);
        return new TableStatistics(rows, bytes) { Columns = columns };
    }

    private static ColumnStatistics OfColumn(int field, Schema schema, TableFile[] files, ValueList<SplitColumn>[] sources, long rows)
    {
        var (nulls, distinctSum, distinctMax) = (0L, 0L, 0L);
        ValueBounds? bounds = null;
        var isBounded = true;
        var constants = new HashSet<object>();
        for (var i = 0; i < files.Length; i++)
        {
            foreach (var group in files[i].Metadata.RowGroups)
            {
                if (group.Rows == 0) continue;
                if (sources[i][field].Source is not { } source)
                {
                    // Named by a folder; or not in this file, and null in all its rows; or nested, and then nothing is known.
                    var constant = sources[i][field].Constant;
                    if (constant.Value is not null)
                    {
                        if (ConstantColumn.BoundsOf(constant) is { } value) bounds = Union(bounds, value);
                        else isBounded = false;
                        constants.Add(constant.Value);
                    }
                    else
                    {
                        nulls = nulls < 0 || (files[i].Folders.Count <= schema.Count - field - 1 && files[i].IndexOf(sources[i][field].Name) >= 0) ? -1 : nulls + group.Rows;
                    }
                    continue;
                }
                var statistics = group.Chunks[source.Leaf].Statistics;
                var groupNulls = !source.IsOptional ? 0 : statistics?.Nulls ?? -1;
                nulls = nulls < 0 || groupNulls < 0 ? -1 : nulls + groupNulls;
                if (statistics is { Distinct: > 0 })
                {
                    distinctMax = Math.Max(distinctMax, statistics.Distinct);
                    distinctSum = distinctSum < 0 ? -1 : distinctSum + statistics.Distinct;
                }
                else
                {
                    distinctSum = -1;
                }
                if (groupNulls == group.Rows) continue;
                if (StatisticsBounds.Of(source, statistics) is not { } found) isBounded = false;
                else bounds = Union(bounds, found);
            }
        }
        return new ColumnStatistics(isBounded ? bounds : null, nulls, constants.Count > 0 ? constants.Count : Distinct(distinctSum, distinctMax, bounds, isBounded, rows));
    }

    private static ValueBounds Union(ValueBounds? all, ValueBounds more) => all is null ? more : new ValueBounds(Int128.Min(all.Min, more.Min), Int128.Max(all.Max, more.Max));

    // Values that are new in every row group make their counts add up; values that come again do not.
    private static long Distinct(long sum, long max, ValueBounds? bounds, bool isBounded, long rows)
    {
        if (sum <= 0) return -1;
        var distinct = sum >= rows * 0.9 ? sum : max;
        if (isBounded && bounds is not null) distinct = (long)Int128.Min(distinct, bounds.Max - bounds.Min + 1);
        return Math.Max(1, distinct);
    }
}
