using System.Text;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.ParquetMetadata;

/// <summary>Whether statistics show that a filter is true for no row.</summary>
internal static class RowGroupPruning
{
    /// <summary>Whether no row of a chunk or page can satisfy a filter.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="column">How the values are stored.</param>
    /// <param name="statistics">What is known of them; null if nothing is.</param>
    /// <param name="rows">Rows.</param>
    public static bool Rejects(ScanFilter filter, StoredColumn column, StoredStatistics? statistics, long rows)
    {
        if (statistics is null) return false;
        if (filter.Operator == ScanOperator.IsNull) return statistics.Nulls == 0;

        // All other filters are not true for null.
        if (statistics.Nulls == rows) return true;
        if (filter.Operator == ScanOperator.IsNotNull || filter.Values.Count == 0) return false;
        return column.Type.Kind switch
        {
            TypeKind.String or TypeKind.Binary => RejectsBytes(filter, column, statistics),
            TypeKind.Float or TypeKind.Double => RejectsFloats(filter, column, statistics),
            TypeKind.Boolean => false,
            _ => RejectsIntegers(filter, column, statistics),
        };
    }

    private static bool RejectsIntegers(ScanFilter filter, StoredColumn column, StoredStatistics statistics)
    {
        if (StatisticsBounds.Of(column, statistics) is not { } bounds) return false;
        var values = new Int128[filter.Values.Count];
        for (var i = 0; i < values.Length; i++)
        {
            if (IntegerOf(filter.Values[i]) is not { } value) return false;
            values[i] = value;
        }
        return Rejects(filter.Operator, values, bounds.Min, bounds.Max);
    }

    private static bool RejectsFloats(ScanFilter filter, StoredColumn column, StoredStatistics statistics)
    {
        if (statistics.Min is not { } min || statistics.Max is not { } max) return false;
        double low, high;
        switch (column.Stored)
        {
            case StoredKind.Float when min.Length == 4 && max.Length == 4:
                (low, high) = (BitConverter.ToSingle(min), BitConverter.ToSingle(max));
                break;
            case StoredKind.Double when min.Length == 8 && max.Length == 8:
                (low, high) = (BitConverter.ToDouble(min), BitConverter.ToDouble(max));
                break;
            default:
                return false;
        }

        // NaN is larger than all others for us and left out of statistics by most writers; so nothing is known about the upper end.
        if (double.IsNaN(low) || double.IsNaN(high)) return false;
        foreach (var literal in filter.Values)
        {
            var value = literal.Value switch
            {
                float single => single,
                double number => number,
                _ => double.NaN,
            };
            if (double.IsNaN(value)) return false;
            var isOutside = filter.Operator switch
            {
                ScanOperator.Equal or ScanOperator.In => value < low || value > high,
                ScanOperator.Less => low >= value,
                ScanOperator.LessOrEqual => low > value,
                _ => false,
            };
            if (!isOutside) return false;
        }
        return true;
    }

    private static bool RejectsBytes(ScanFilter filter, StoredColumn column, StoredStatistics statistics)
    {
        if (statistics.Min is not { } min || statistics.Max is not { } max || statistics.IsOld || column.Form is not (ValueForm.Same or ValueForm.FixedToView)) return false;
        foreach (var literal in filter.Values)
        {
            var value = literal.Value switch
            {
                string text => Encoding.UTF8.GetBytes(text),
                byte[] bytes => bytes,
                _ => null,
            };
            if (value is null) return false;
            var toMin = value.AsSpan().SequenceCompareTo(min);
            var toMax = value.AsSpan().SequenceCompareTo(max);
            var isOutside = filter.Operator switch
            {
                ScanOperator.Equal or ScanOperator.In => toMin < 0 || toMax > 0,
                ScanOperator.Less => toMin <= 0,
                ScanOperator.LessOrEqual => toMin < 0,
                ScanOperator.Greater => toMax >= 0,
                ScanOperator.GreaterOrEqual => toMax > 0,
                ScanOperator.StartsWith => toMax > 0 || (toMin < 0 && !min.AsSpan().StartsWith(value)),
                _ => false,
            };
            if (!isOutside) return false;
        }
        return true;
    }

    private static bool Rejects(ScanOperator comparison, Int128[] values, Int128 min, Int128 max) => comparison switch
    {
        ScanOperator.Equal or ScanOperator.In => Array.TrueForAll(values, value => value < min || value > max),
        ScanOperator.Less => min >= values[0],
        ScanOperator.LessOrEqual => min > values[0],
        ScanOperator.Greater => max <= values[0],
        ScanOperator.GreaterOrEqual => max < values[0],
        _ => false,
    };

    /// <summary>The number of a literal, unscaled if it is a decimal; null if it is none.</summary>
    public static Int128? IntegerOf(Literal literal) => literal.Value switch
    {
        sbyte value => value,
        short value => value,
        int value => value,
        long value => value,
        Int128 value => value,
        _ => null,
    };
}
