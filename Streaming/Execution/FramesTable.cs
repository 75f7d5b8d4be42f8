using Dataflow.Sql.Exchange;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Records;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Execution;

/// <summary>The rows of a batch, kept as frames, as a table: sinks read them as often as they like, and they are computed once.</summary>
internal sealed class FramesTable(string name, Schema schema, Rdd<byte[]> frames) : IRddTable
{
    public string Name => name;

    public Schema Schema => schema;

    public TableStatistics Statistics => TableStatistics.Unknown;

    public Rdd<ColumnBatch> ToRdd(ScanRequest request, ValueList<ScanFilterSource> filters)
    {
        var (types, fields) = (new ValueList<DataType>(schema.Select(field => field.Type)), request.Fields);
        return frames.MapPartitions(each => Read(each, types, fields));
    }

    private static IEnumerable<ColumnBatch> Read(IEnumerable<byte[]> frames, ValueList<DataType> types, ValueList<int> fields)
    {
        using var arena = new TaskArena(TaskContext.Current!, "batch");
        var reader = new FrameReader(arena, types);
        foreach (var frame in frames)
        {
            // Batches point into the frame.
            var pin = System.Runtime.InteropServices.GCHandle.Alloc(frame, System.Runtime.InteropServices.GCHandleType.Pinned);
            try
            {
                var rows = reader.Read(frame);
                var batch = new ColumnBatch([.. fields.Select(field => rows.Columns[field])]);
                batch.Set(rows.Rows);
                yield return batch;
            }
            finally
            {
                pin.Free();
            }
        }
    }
}
