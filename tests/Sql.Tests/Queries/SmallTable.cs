using System.Text;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Tests.Queries;

/// <summary>Rows of long, string and bool as a table, in splits and batches as small as a test wants them.</summary>
internal sealed class SmallTable(string name, Schema schema, object?[][] values, int splits, int batchRows, long? rows = null) : ITable
{
    public string Name => name;

    public Schema Schema => schema;

    public TableStatistics Statistics => new(rows ?? values.Length, (rows ?? values.Length) * 32);

    public object?[][] Rows => values;

    public ITableScan Scan(ScanRequest request)
    {
        var size = Math.Max(1, (values.Length + splits - 1) / splits);
        return new SmallScan([.. values.Chunk(size).Select(part => new SmallSplit(part))], [.. request.Fields], schema, batchRows);
    }

    private sealed record SmallSplit(object?[][] Part) : TableSplit(Part.Length, []);

    private sealed class SmallScan(SmallSplit[] splits, int[] fields, Schema schema, int batchRows) : ITableScan
    {
        public IReadOnlyList<TableSplit> Splits => splits;

        public BatchReader Open(TableSplit split, TaskContext context, IReadOnlyList<IDynamicFilter> dynamic) =>
            new Reader(((SmallSplit)split).Part, fields, schema, batchRows, context);
    }

    private sealed unsafe class Reader : BatchReader
    {
        private readonly object?[][] _rows;
        private readonly int[] _fields;
        private readonly int _batchRows;
        private readonly TaskArena _arena;
        private readonly FlatVector[] _vectors;
        private readonly TextHeap _heap;
        private readonly ColumnBatch _batch;
        private int _next;

        public Reader(object?[][] rows, int[] fields, Schema schema, int batchRows, TaskContext context)
        {
            _rows = rows;
            _fields = fields;
            _batchRows = batchRows;
            _arena = new TaskArena(context, "small table");
            _vectors = [.. fields.Select(field => new FlatVector(_arena, schema[field].Type))];
            _heap = new TextHeap(_arena);
            _batch = new ColumnBatch([.. _vectors.Select(vector => vector.Vector)]);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            batch = _batch;
            var count = Math.Min(_batchRows, _rows.Length - _next);
            if (count <= 0) return false;
            _heap.Clear();
            for (var i = 0; i < _vectors.Length; i++) Fill(_vectors[i], _fields[i], count);
            _batch.Set(count);
            _next += count;
            return true;
        }

        public override void Dispose()
        {
            _arena.Dispose();
            base.Dispose();
        }

        private void Fill(FlatVector vector, int field, int count)
        {
            var validity = vector.Validity;
            var hasNulls = false;
            for (var word = 0; word < (count + 63) / 64; word++) validity[word] = ulong.MaxValue;
            for (var i = 0; i < count; i++)
            {
                var bit = 1UL << (i & 63);
                switch (_rows[_next + i][field])
                {
                    case long value when vector.Vector.Type.Kind == TypeKind.Int: ((int*)vector.Data)[i] = (int)value; break;
                    case long value: ((long*)vector.Data)[i] = value; break;
                    case string text: ((StringView*)vector.Data)[i] = _heap.Add(Encoding.UTF8.GetBytes(text)); break;
                    case bool flag:
                        ref var bits = ref ((ulong*)vector.Data)[i >> 6];
                        bits = flag ? bits | bit : bits & ~bit;
                        break;
                    default:
                        validity[i >> 6] &= ~bit;
                        hasNulls = true;
                        if (vector.Vector.Type.Kind == TypeKind.String) ((StringView*)vector.Data)[i] = default;
                        break;
                }
            }
            vector.Set(count, hasNulls);
        }
    }
}
