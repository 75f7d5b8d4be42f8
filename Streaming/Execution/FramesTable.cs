using System.Runtime.InteropServices;
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

    public Rdd<ColumnBatch> ToRdd(ScanRequest request, ValueList<ScanFilterSource> filters) => new FramesRdd(frames, new(schema.Select(field => field.Type)), request.Fields);
}

/// <summary>Reads frames as batches.</summary>
internal sealed class FramesRdd(Rdd<byte[]> frames, ValueList<DataType> types, ValueList<int> fields) : Rdd<ColumnBatch>(frames.Context, "Frames")
{
    private readonly OneToOneDependency _dependency = new(frames);

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    public override IReadOnlyList<string> PreferredLocations(Partition partition) => frames.PreferredLocations(partition);

    protected override Partition[] GetPartitions() => [.. frames.Partitions];

    protected override ChunkReader<ColumnBatch> Compute(Partition partition, TaskContext context) => new BatchChunks(new Reader(frames.Read(partition, context), types, fields, context));

    // A batch points into its frame, which stays in place until the next.
    private sealed class Reader(ChunkReader<byte[]> frames, ValueList<DataType> types, ValueList<int> fields, TaskContext context) : BatchReader
    {
        private readonly TaskArena _arena = new(context, "batch");
        private readonly Queue<byte[]> _next = new();
        private FrameReader? _reader;
        private GCHandle _pin;

        public override bool TryNext(out ColumnBatch batch)
        {
            Unpin();
            while (_next.Count == 0)
            {
                if (!frames.TryRead(out var chunk))
                {
                    batch = null!;
                    return false;
                }
                foreach (var each in chunk) _next.Enqueue(each);
            }
            var frame = _next.Dequeue();
            _pin = GCHandle.Alloc(frame, GCHandleType.Pinned);
            var rows = (_reader ??= new FrameReader(_arena, types)).Read(frame);
            batch = new ColumnBatch([.. fields.Select(field => rows.Columns[field])]);
            batch.Set(rows.Rows);
            return true;
        }

        public override void Dispose()
        {
            Unpin();
            frames.Dispose();
            _arena.Dispose();
            base.Dispose();
        }

        private void Unpin()
        {
            if (_pin.IsAllocated) _pin.Free();
        }
    }
}
