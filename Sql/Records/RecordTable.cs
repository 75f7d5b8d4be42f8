using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Records;

/// <summary>A table whose rows are the elements of an Rdd: reading it is a stage on it, not splits of its own.</summary>
internal interface IRddTable : ITable
{
    /// <summary>Whether it leaves out rows by filters that become known while the query runs.</summary>
    bool TakesDynamicFilters => false;

    /// <summary>The rows as batches.</summary>
    Rdd<ColumnBatch> ToRdd(ScanRequest request, ValueList<ScanFilterSource> filters);

    ITableScan ITable.Scan(ScanRequest request) => throw new InvalidOperationException($"{Name} is read through its Rdd. This is a mistake in Dataflow: please report it.");
}

/// <summary>Objects of the program as a table. They become columns in the tasks that read them, those columns only that are wanted.</summary>
/// <typeparam name="T">The type of the objects.</typeparam>
internal sealed class RecordTable<T>(Rdd<T> records, long count) : IRddTable
{
    public string Name => $"records of {typeof(T).Name}";

    public Schema Schema { get; } = RecordShape<T>.Find().Schema;

    public TableStatistics Statistics { get; } = new(count, -1);

    public Rdd<ColumnBatch> ToRdd(ScanRequest request, ValueList<ScanFilterSource> filters) => new RecordBatchesRdd<T>(records, request.Fields);
}

/// <summary>The elements of an Rdd as batches of some of their columns.</summary>
internal sealed class RecordBatchesRdd<T>(Rdd<T> records, ValueList<int> fields) : Rdd<ColumnBatch>(records.Context, "Records")
{
    private readonly OneToOneDependency _dependency = new(records);

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    public override IReadOnlyList<string> PreferredLocations(Partition partition) => records.PreferredLocations(partition);

    protected override Partition[] GetPartitions() => [.. records.Partitions];

    protected override ChunkReader<ColumnBatch> Compute(Partition partition, TaskContext context)
    {
        var shape = RecordShape<T>.Find();
        return new BatchChunks(new RecordBatches<T>(records.Read(partition, context), [.. fields.Select(shape.Column)], context));
    }
}

/// <summary>Objects as batches of some of their columns.</summary>
/// <typeparam name="T">The type of the objects.</typeparam>
internal sealed class RecordBatches<T> : BatchReader
{
    private readonly ChunkReader<T> _records;
    private readonly RecordColumn<T>[] _columns;
    private readonly TaskArena _arena;
    private readonly ColumnBatch _batch;
    private T[] _left = [];
    private int _next;
    private bool _isDone;

    public RecordBatches(ChunkReader<T> records, RecordColumn<T>[] columns, TaskContext context)
    {
        _records = records;
        _columns = columns;
        _arena = new TaskArena(context, "records");
        foreach (var column in columns) column.Open(_arena);
        _batch = new ColumnBatch([.. columns.Select(column => column.Vector)]);
    }

    public override bool TryNext(out ColumnBatch batch)
    {
        batch = _batch;
        foreach (var column in _columns) column.Clear();
        var rows = Add(0, Take(_left.AsSpan(_next), ColumnBatch.MaxRows, out _));
        _next += rows;
        while (rows < ColumnBatch.MaxRows && !_isDone)
        {
            if (!_records.TryRead(out var chunk))
            {
                _isDone = true;
                break;
            }
            rows = Add(rows, Take(chunk, ColumnBatch.MaxRows - rows, out var rest));
            // What does not fit is kept: the chunk is lent until the next call, which may come before these are written.
            if (rest.Length == 0) continue;
            _left = rest.ToArray();
            _next = 0;
        }
        _batch.Set(rows);
        return rows > 0;
    }

    public override void Dispose()
    {
        _records.Dispose();
        _arena.Dispose();
        base.Dispose();
    }

    private static ReadOnlySpan<T> Take(ReadOnlySpan<T> records, int most, out ReadOnlySpan<T> rest)
    {
        var count = Math.Min(records.Length, most);
        rest = records[count..];
        return records[..count];
    }

    private int Add(int rows, ReadOnlySpan<T> records)
    {
        foreach (var column in _columns) column.Append(records);
        return rows + records.Length;
    }
}

/// <summary>The rows of batches as objects of the program.</summary>
internal sealed class RecordsRdd<T>(Rdd<ColumnBatch> batches, Schema schema) : Rdd<T>(batches.Context, "ToRdd")
{
    private readonly OneToOneDependency _dependency = new(batches);

    public override IReadOnlyList<Dependency> Dependencies => [_dependency];

    public override IReadOnlyList<string> PreferredLocations(Partition partition) => batches.PreferredLocations(partition);

    protected override Partition[] GetPartitions() => [.. batches.Partitions];

    protected override ChunkReader<T> Compute(Partition partition, TaskContext context) => new Reader(BatchChunks.Open(batches, partition, context), RecordMapper<T>.For(schema));

    private sealed class Reader(BatchReader batches, RecordMapper<T> mapper) : ChunkReader<T>
    {
        public override bool TryRead(out ReadOnlySpan<T> chunk)
        {
            while (batches.TryNext(out var batch))
            {
                if (batch.Alive == 0) continue;
                chunk = mapper.Map(batch);
                return true;
            }
            chunk = default;
            return false;
        }

        protected override void Dispose(bool disposing) => batches.Dispose();
    }
}
