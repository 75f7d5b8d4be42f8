using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.ParquetMetadata;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Parquet;

/// <summary>Reads the wanted columns of one row group, in batches.</summary>
internal sealed unsafe class RowGroupReader : BatchReader
{
    private readonly ParquetSplit _split;
    private readonly TaskContext _task;
    private readonly TaskArena _arena;
    private readonly Stream _file;
    private readonly ColumnReader?[] _readers;
    private readonly ColumnBatch _batch;
    private readonly SplitFilters _filters;
    private readonly RowFilter _rowFilter;
    private readonly Action<int> _load;
    private readonly bool[] _isLoaded;
    private readonly IReadOnlyList<(long Start, long End)> _ranges = [];
    private int _range;
    private long _at;
    private long _left;
    private long _bytesCounted;
    private bool _isEnded;

    /// <summary>Opens the file.</summary>
    /// <exception cref="InputException">The file is not what it was when the query was planned.</exception>
    public RowGroupReader(ParquetSplit split, TaskContext task, IReadOnlyList<IDynamicFilter> dynamic)
    {
        _split = split;
        _task = task;
        _filters = new SplitFilters(split, dynamic);
        _left = split.ReadRows;
        _readers = new ColumnReader?[split.Columns.Count];
        var vectors = new ColumnVector[split.Columns.Count];
        _arena = new TaskArena(task, "parquet scan");
        _rowFilter = new RowFilter(_arena, split.Columns.ConvertAll(column => column.Field), dynamic);
        _load = Load;
        _isLoaded = new bool[split.Columns.Count];
        if (_filters.RejectsAll) _left = 0;
        _file = _left > 0 ? PlannedFile.Open(split.Path, split.FileLength) : Stream.Null;
        if (_left > 0)
        {
            _ranges = SplitFilters.RowsOf(split, _file).Ranges;
            if (_ranges.Count == 0) _left = 0;
        }
        for (var i = 0; i < vectors.Length; i++)
        {
            var column = split.Columns[i];
            if (_left == 0 || column.Source is null || column.Type == DataType.Null)
            {
                vectors[i] = ConstantColumn.Vector(_arena, column.Constant);
                continue;
            }
            try
            {
                // Where whole ranges are passed over, it is worth knowing where pages begin.
                var offsets = _ranges is [(0, var end)] && end == split.ReadRows ? null : PageIndex.ReadOffsets(_file, column.Chunk!, split.GroupRows);
                _readers[i] = new ColumnReader(_arena, _file, column.Source, column.Chunk!, split.GroupRows, offsets);
                vectors[i] = _readers[i]!.Vector;
            }
            catch (CorruptDataException error)
            {
                End();
                throw Damaged(error, column, error.Offset ?? 0);
            }
        }
        _batch = new ColumnBatch(vectors);
    }

    /// <inheritdoc/>
    public override bool TryTake(FilterEvaluator filter)
    {
        _rowFilter.Add(filter);
        return true;
    }

    /// <inheritdoc/>
    public override bool TryNext(out ColumnBatch batch)
    {
        batch = _batch;
        while (NextRows() is var rows and > 0)
        {
            _task.CancellationToken.ThrowIfCancellationRequested();
            _batch.Set(rows);
            Array.Clear(_isLoaded);
            if (!_rowFilter.IsEmpty) _rowFilter.Run(_batch, _load);
            if (_batch.Alive > 0)
            {
                for (var i = 0; i < _readers.Length; i++) Load(i);
            }
            _at += rows;
            _task.Metrics.InputRecords += rows;
            if (_batch.Alive == 0) continue;
            CountBytes();
            return true;
        }
        CountBytes();
        End();
        return false;
    }

    // How many rows make the next batch; none at the end.
    private int NextRows()
    {
        while (_left > 0 && _range < _ranges.Count && !_filters.RejectsAll)
        {
            var (start, end) = _ranges[_range];
            _at = _filters.NextWanted(_file, Math.Max(_at, start));
            if (_at < end) return (int)Math.Min(end - _at, ColumnBatch.MaxRows);
            _range++;
        }
        _left = 0;
        return 0;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        End();
        base.Dispose();
    }

    private void Load(int column)
    {
        if (_isLoaded[column]) return;
        _isLoaded[column] = true;
        if (_readers[column] is not { } reader)
        {
            _batch.Columns[column].Length = _batch.Rows;
            return;
        }
        try
        {
            reader.Skip(_at - reader.Next);
            reader.Read(_batch.Rows, _batch.Mask);
        }
        catch (CorruptDataException error)
        {
            throw Damaged(error, _split.Columns[column], reader.Position);
        }
        catch (EndOfStreamException error)
        {
            throw Damaged(error, _split.Columns[column], reader.Position);
        }
    }

    private CorruptDataException Damaged(Exception error, SplitColumn column, long position) => new(
        "parquet", position, $"column '{column.Name}' of row group {_split.Ordinal}: {(error as CorruptDataException)?.Problem ?? error.Message}", _split.Path, error);

    private void CountBytes()
    {
        var bytes = 0L;
        foreach (var reader in _readers) bytes += reader?.BytesRead ?? 0;
        _task.Metrics.InputBytes += bytes - _bytesCounted;
        _bytesCounted = bytes;
    }

    private void End()
    {
        if (_isEnded) return;
        _isEnded = true;
        _left = 0;
        _arena.Dispose();
        _file.Dispose();
    }
}
