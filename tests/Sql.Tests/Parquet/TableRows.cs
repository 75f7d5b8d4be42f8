using System.Text;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Sources;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Parquet;

/// <summary>Reads tables into rows of text, as results are shown; null is null.</summary>
internal static class TableRows
{
    /// <summary>All rows of some columns.</summary>
    public static List<string?[]> Of(ITable table, params string[] columns)
    {
        var fields = columns.Length == 0 ? [.. Enumerable.Range(0, table.Schema.Count)] : new ValueList<int>(columns.Select(name => table.Schema.IndexOf(name)));
        return Of(table, new ScanRequest(fields, []));
    }

    /// <summary>What a request gives.</summary>
    public static List<string?[]> Of(ITable table, ScanRequest request, params IDynamicFilter[] dynamic)
    {
        var rows = new List<string?[]>();
        using var task = new LoneTask();
        var scan = table.Scan(request);
        foreach (var split in scan.Splits)
        {
            using var reader = scan.Open(split, task.Context, dynamic);
            while (reader.TryNext(out var batch))
            {
                foreach (var row in batch.Selection) rows.Add(Array.ConvertAll(batch.Columns, column => Text(column, row)));
            }
        }
        return rows;
    }

    /// <summary>A value as text.</summary>
    public static unsafe string? Text(ColumnVector column, int row)
    {
        if (column.IsNull(row)) return null;
        return column.Type.Kind switch
        {
            TypeKind.Boolean => column.Bit(row) ? "true" : "false",
            TypeKind.TinyInt => column.Value<sbyte>(row).ToString(),
            TypeKind.SmallInt => column.Value<short>(row).ToString(),
            TypeKind.Int => column.Value<int>(row).ToString(),
            TypeKind.BigInt => column.Value<long>(row).ToString(),
            TypeKind.Float => column.Value<float>(row).ToString("R"),
            TypeKind.Double => column.Value<double>(row).ToString("R"),
            TypeKind.Decimal => LiteralText.Decimal(column.Type.Physical == PhysicalType.Int64 ? column.Value<long>(row) : column.Value<Int128>(row), ((DecimalType)column.Type).Scale),
            TypeKind.String => StringView.TextOf((StringView*)column.ValueAt(row)),
            TypeKind.Binary => Convert.ToHexString(StringView.BytesOf((StringView*)column.ValueAt(row))),
            TypeKind.Date => LiteralText.Date(column.Value<int>(row)),
            TypeKind.Timestamp or TypeKind.TimestampNtz => LiteralText.Timestamp(column.Value<long>(row)),
            _ => throw new InvalidOperationException($"No text for {column.Type}."),
        };
    }

    /// <summary>The rows of a text, comma between values, for comparison.</summary>
    public static string Joined(IEnumerable<string?[]> rows)
    {
        var text = new StringBuilder();
        foreach (var row in rows) text.AppendJoin(',', row.Select(value => value ?? "null")).Append('\n');
        return text.ToString();
    }
}
