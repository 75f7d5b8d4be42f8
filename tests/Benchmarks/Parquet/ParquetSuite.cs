using System.Diagnostics;
using Dataflow.Benchmarks.Running;
using Dataflow.Benchmarks.TpchData;
using Dataflow.Sql.Parquet;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Benchmarks.Parquet;

/// <summary>Parquet files on one thread: all columns of TPC-H's lineitem, three million rows, read into batches and written from them.</summary>
/// <remarks>
/// What is asked: DuckDB 1.5 on a machine of two cores with AVX-512 reads some 10 million rows a second a core of a Snappy file and 18 of one without
/// compression, and writes 2 (Snappy). To read is to decode every value; text is pointed at.
/// </remarks>
internal static class ParquetSuite
{
    private const double Scale = 0.5;

    public static Suite Create() => new("parquet", [.. Compressions().Select(each => new Benchmark($"lineitem, {each.Name}", session => Measure(session, each.Name, each.Read, each.Write)))]);

    private static IEnumerable<(string Name, double Read, double Write)> Compressions() => [("snappy", 10, 2), ("none", 18, 2.5), ("lz4", 10, 2)];

    private static IEnumerable<Measurement> Measure(Session session, string compression, double mustRead, double mustWrite)
    {
        var folder = Directory.CreateTempSubdirectory("dataflow-benchmark-");
        try
        {
            using var context = Session.Context(threads: 1);
            var (made, written) = (Path.Combine(folder.FullName, "made.parquet"), Path.Combine(folder.FullName, "written.parquet"));
            var scale = session.Quick ? Scale / 20 : Scale;
            InTask(context, task => TpchFiles.WriteParquet(TpchTable.All[0], scale, 0, 1, made, task));
            var options = new ParquetWriteOptions { Compression = compression };
            InTask(context, task => Copy(made, written, options, task));
            yield return new($"read lineitem, {compression}, all columns", "million rows/s", Best(() => InTask(context, task => Read(written, task))), null, mustRead, 2 * mustRead, HigherIsBetter: true);
            yield return new($"read and write lineitem, {compression}", "million rows/s", Best(() => InTask(context, task => Copy(made, written, options, task))), null, mustWrite, 1.5 * mustWrite,
                HigherIsBetter: true);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static double Best(Func<long> work)
    {
        var best = 0.0;
        for (var i = 0; i < 5; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var rows = work();
            best = Math.Max(best, rows / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6);
        }
        return best;
    }

    private static long InTask(DataflowContext context, Func<TaskContext, long> work) => context.Parallelize([0], 1).Map(_ => work(TaskContext.Current!)).Collect()[0];

    private static long Read(string path, TaskContext task)
    {
        var rows = 0L;
        var table = ParquetTable.Open(path);
        var scan = table.Scan(new ScanRequest([.. Enumerable.Range(0, table.Schema.Count)], []));
        foreach (var split in scan.Splits)
        {
            using var reader = scan.Open(split, task, []);
            while (reader.TryNext(out var batch)) rows += batch.Alive;
        }
        return rows;
    }

    private static long Copy(string from, string to, ParquetWriteOptions options, TaskContext task)
    {
        var table = ParquetTable.Open(from);
        var scan = table.Scan(new ScanRequest([.. Enumerable.Range(0, table.Schema.Count)], []));
        using var file = File.Create(to);
        using var writer = new ParquetWriter(file, table.Schema, task, options);
        foreach (var split in scan.Splits)
        {
            using var reader = scan.Open(split, task, []);
            while (reader.TryNext(out var batch)) writer.Write(batch);
        }
        writer.Complete();
        return writer.Rows;
    }
}
