using Dataflow.Files;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Checkpoints;

/// <summary>The state of an operator as a table: a piece for each partition.</summary>
/// <param name="contents">What is read.</param>
/// <param name="partitions">Which partitions.</param>
internal sealed class StoredStateTable(StateContents contents, int[] partitions) : ITable
{
    public string Name => $"state of batch {contents.Batch} in '{contents.Folder}'";

    public Schema Schema { get; } = contents.Schema;

    public TableStatistics Statistics => TableStatistics.Unknown;

    public ITableScan Scan(ScanRequest request) => new StateScan(contents, [.. partitions.Select(partition => new StateSplit(partition))], request.Fields, [.. Positions()], Schema.Count - 1);

    // Of columns of one name the first is given.
    private IEnumerable<int> Positions()
    {
        if (contents.Description.Kind != State.StateDescription.OfDistinct) return Enumerable.Range(0, Schema.Count - 1);
        var side = contents.Description.Sides[contents.Side];
        return side.Keys.Concat(side.Values).Select((column, i) => (column.Name, Position: i)).DistinctBy(each => each.Name).Select(each => each.Position);
    }

    private sealed record StateSplit(int Partition) : TableSplit(-1, []);

    private sealed class StateScan(StateContents contents, StateSplit[] splits, ValueList<int> fields, ValueList<int> positions, int partitionField) : ITableScan
    {
        public IReadOnlyList<TableSplit> Splits => splits;

        public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic)
        {
            ValueList<int> columns = [.. fields.Select(field => field == partitionField ? -1 : positions[field])];
            return new Reader(contents, ((StateSplit)split).Partition, columns, context);
        }
    }

    private sealed unsafe class Reader : BatchReader
    {
        private readonly StateContents _contents;
        private readonly int _partition;
        private readonly ValueList<int> _columns;
        private readonly TaskArena _arena;
        private readonly FlatVector _partitions;
        private readonly IEnumerator<ColumnBatch> _batches;

        public Reader(StateContents contents, int partition, ValueList<int> columns, TaskContext context)
        {
            (_contents, _partition, _columns) = (contents, partition, columns);
            _arena = new TaskArena(context, "state partition");
            _partitions = new FlatVector(_arena, DataType.Int);
            new Span<int>(_partitions.Data, ColumnBatch.MaxRows).Fill(partition);
            _batches = contents.Read(partition, context).GetEnumerator();
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            batch = null!;
            try
            {
                if (!_batches.MoveNext()) return false;
            }
            catch (StreamingException error) when (error.Kind == "CHECKPOINT_DAMAGED" && IsGone())
            {
                throw new StreamingException("STATE_GONE",
                    $"Files of the state after batch {_contents.Batch} in '{_contents.Folder}' went while they were read, as the query went on. Read again, or while the query is stopped.", error);
            }
            var rows = _batches.Current;
            _partitions.Set(rows.Rows, hasNulls: false);
            batch = new ColumnBatch([.. _columns.Select(column => column < 0 ? _partitions.Vector : rows.Columns[column])]);
            batch.Set(rows.Rows, rows.Mask);
            return true;
        }

        public override void Dispose()
        {
            _batches.Dispose();
            _arena.Dispose();
            base.Dispose();
        }

        // They were all there when the frame was made.
        private bool IsGone() => Array.Exists(_contents.Chains[_partition], file => FilePath.Combine(_contents.Folder, file) is var path && FileSystems.For(path).Find(path) is null);
    }
}
