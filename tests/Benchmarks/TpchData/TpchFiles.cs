using Dataflow.Sql.Columns;
using Dataflow.Sql.Parquet;
using Dataflow.Tasks;

namespace Dataflow.Benchmarks.TpchData;

/// <summary>Writes a table, or a part of it, to a file.</summary>
internal static class TpchFiles
{
    /// <summary>Writes a part of a table as Parquet.</summary>
    /// <returns>Rows written.</returns>
    public static long WriteParquet(TpchTable table, double scale, int part, int parts, string path, TaskContext task)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = new FileStream(path + ".tmp", FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        using var writer = new ParquetWriter(file, table.Schema, task);
        Make(table, scale, part, parts, task, writer.Write);
        writer.Complete();
        file.Dispose();
        File.Move(path + ".tmp", path, overwrite: true);
        return writer.Rows;
    }

    /// <summary>Writes a table as CSV with a header; text with commas or quotes stands in quotes.</summary>
    /// <returns>Rows written.</returns>
    public static long WriteCsv(TpchTable table, double scale, string path, TaskContext task)
    {
        using var file = new FileStream(path + ".tmp", FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 20);
        var rows = 0L;
        file.Write(System.Text.Encoding.UTF8.GetBytes(string.Join(',', table.Schema.Select(field => field.Name)) + "\n"));
        var text = new CsvRows();
        Make(table, scale, 0, 1, task, batch =>
        {
            file.Write(text.Of(batch));
            rows += batch.Rows;
        });
        file.Dispose();
        File.Move(path + ".tmp", path, overwrite: true);
        return rows;
    }

    /// <summary>Makes a part of a table.</summary>
    public static void Make(TpchTable table, double scale, int part, int parts, TaskContext task, Action<ColumnBatch> give)
    {
        var count = table.CountAt(scale);
        var first = count * part / parts;
        using var arena = new TaskArena(task, "tpch rows");
        var sink = new RowSink(table.Schema, arena, batch =>
        {
            task.CancellationToken.ThrowIfCancellationRequested();
            give(batch);
        });
        table.Make(sink, scale, first, (count * (part + 1) / parts) - first);
        sink.Flush();
    }
}
