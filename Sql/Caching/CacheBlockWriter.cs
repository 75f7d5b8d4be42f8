using Dataflow.Sql.Columns;
using Dataflow.Sql.Sources;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Sql.Caching;

/// <summary>Makes blocks of batches; lends each until the next call.</summary>
internal sealed unsafe class CacheBlockWriter : ChunkReader<Slab>
{
    // A block ends early where another dictionary begins, if it is not too small for that; and where its texts become long.
    private const int LeastRows = CacheBlock.MaxRows / 4;
    private const int MostTextBytes = 16 << 20;

    private readonly BatchReader _input;
    private readonly TaskArena _arena;
    private readonly CacheColumnWriter[] _columns;
    private readonly Slab[] _chunk = new Slab[1];
    private readonly CacheCounts _counts;
    private NativeBuffer? _block;
    private ColumnBatch? _left;
    private int _leftFrom;
    private int _rows;
    private bool _hasEnded;

    /// <param name="input">The rows; owned.</param>
    /// <param name="types">The types of their columns.</param>
    /// <param name="counts">Told of each block.</param>
    /// <param name="context">The task.</param>
    public CacheBlockWriter(BatchReader input, IEnumerable<DataType> types, CacheCounts counts, TaskContext context)
    {
        _input = input;
        _counts = counts;
        _arena = new TaskArena(context, "cache");
        _columns = [.. types.Select(type => new CacheColumnWriter(type, _arena))];
    }

    public override bool TryRead(out ReadOnlySpan<Slab> chunk)
    {
        while (!_hasEnded)
        {
            if (_left is null && !_input.TryNext(out _left!))
            {
                _left = null;
                _hasEnded = true;
                if (_rows == 0) _counts.Finish();
                break;
            }
            if (_rows >= LeastRows && (_rows == CacheBlock.MaxRows || !Fits(_left) || _columns.Sum(column => (long)column.TextBytes) >= MostTextBytes)) break;
            var rows = _left.Selection[_leftFrom..];
            var taken = Math.Min(rows.Length, CacheBlock.MaxRows - _rows);
            for (var i = 0; i < _columns.Length; i++) _columns[i].Add(_left.Columns[i], rows[..taken]);
            _rows += taken;
            _leftFrom += taken;
            if (taken < rows.Length) break;
            _left = null;
            _leftFrom = 0;
        }
        chunk = default;
        if (_rows == 0) return false;
        _chunk[0] = Finish();
        if (_hasEnded) _counts.Finish();
        chunk = _chunk;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        _input.Dispose();
        _arena.Dispose();
    }

    private bool Fits(ColumnBatch batch)
    {
        for (var i = 0; i < _columns.Length; i++)
        {
            if (!_columns[i].Fits(batch.Columns[i])) return false;
        }
        return true;
    }

    private Slab Finish()
    {
        var batches = (_rows + ColumnBatch.MaxRows - 1) / ColumnBatch.MaxRows;
        var size = CacheBlock.HeadBytes(_columns.Length, batches);
        foreach (var column in _columns)
        {
            column.Finish();
            size = checked(size + column.Size);
        }
        if (_block is null || _block.Length < size)
        {
            if (_block is not null) _arena.Return(_block);
            _block = _arena.Rent(size);
        }
        var block = _block.Pointer;
        *(CacheHeader*)block = new CacheHeader { Rows = _rows, Columns = _columns.Length, Batches = batches };
        var place = CacheBlock.HeadBytes(_columns.Length, batches);
        for (var i = 0; i < _columns.Length; i++)
        {
            _columns[i].Write(block, place, CacheBlock.ColumnsOf(block) + i, CacheBlock.ZonesOf(block, i));
            place += _columns[i].Size;
        }
        _counts.Add(block, size);
        foreach (var column in _columns) column.Clear();
        _rows = 0;
        return new Slab(block, size);
    }
}
