using System.Text;
using Dataflow.Compression;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Sources;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Sql.Csv;

/// <summary>A part of a CSV file that one task reads: the records that begin in it.</summary>
/// <param name="Path">The file.</param>
/// <param name="FileLength">Its length when the query was planned.</param>
/// <param name="Offset">Where the part begins.</param>
/// <param name="Length">How long it is, in bytes of the file.</param>
/// <param name="State">In which state it begins; null if ends of lines are all there is to know.</param>
/// <param name="Hosts">Machines that have it.</param>
internal sealed record CsvSplit(string Path, long FileLength, long Offset, long Length, CsvState? State, ValueList<string> Hosts) : TableSplit(-1, Hosts);

/// <summary>What reading takes beside the split.</summary>
/// <param name="Dialect">How fields are written.</param>
/// <param name="Formats">How times are written.</param>
/// <param name="HasHeader">Whether files begin with a record that is none.</param>
/// <param name="Mode">What happens to records that do not fit.</param>
/// <param name="Columns">The columns of the files.</param>
/// <param name="IsGuess">Whether their types were found from some of the records, and values of other types are errors.</param>
internal sealed record CsvPlan(CsvDialect Dialect, CsvFormats Formats, bool HasHeader, MalformedMode Mode, Schema Columns, bool IsGuess);

/// <summary>Reads the wanted columns of the records that begin in one part of a file.</summary>
internal sealed unsafe class CsvReader : BatchReader
{
    private const int FirstBufferBytes = 1 << 20;
    private const int MostFields = 64 << 10;

    private readonly CsvSplit _split;
    private readonly CsvPlan _plan;
    private readonly TaskContext _task;
    private readonly TaskArena _arena;
    private readonly Stream _stream;
    private readonly CsvIndexer _index;
    private readonly CsvBlock _block;
    private readonly CsvColumn[] _parsed;
    private readonly CsvCorruptColumn? _corrupt;
    private readonly ColumnBatch _batch;
    private readonly ulong* _mask;
    private readonly CsvColumn?[] _byPosition;
    private readonly bool[] _isLoaded;
    private readonly RowFilter _filter;
    private readonly Action<int> _load;
    private readonly int _mostRows;
    private readonly long _end;
    private NativeBuffer _buffer;
    private int _capacity;
    private long _bufferOffset;
    private int _length;
    private int _next;
    private bool _atEnd;
    private bool _isDone;
    private bool _isStarted;

    /// <summary>Opens the file.</summary>
    /// <param name="split">The part.</param>
    /// <param name="plan">How it is read.</param>
    /// <param name="fields">The wanted columns: positions in the files' columns, or one past them for wrong records.</param>
    /// <param name="task">The task.</param>
    /// <param name="dynamic">Filters that become known while it reads.</param>
    public CsvReader(CsvSplit split, CsvPlan plan, ValueList<int> fields, TaskContext task, IReadOnlyList<IDynamicFilter> dynamic)
    {
        _split = split;
        _plan = plan;
        _task = task;
        var isCompressed = CompressedStreams.IsCompressed(split.Path);
        _end = isCompressed ? long.MaxValue : split.Offset + split.Length;

        // Where only ends of lines count, the byte before the part says whether a record begins with it.
        _bufferOffset = split.State is null && split.Offset > 0 ? split.Offset - 1 : split.Offset;
        _stream = TextFiles.Open(split.Path, _bufferOffset, split.FileLength, isCompressed);
        _arena = new TaskArena(task, "csv scan");
        _buffer = _arena.Rent(FirstBufferBytes);
        _capacity = FirstBufferBytes;
        _mostRows = Math.Clamp(MostFields / Math.Max(1, plan.Columns.Count), 256, ColumnBatch.MaxRows);
        _index = new CsvIndexer(_arena, plan.Dialect, _mostRows);
        _block = new CsvBlock(plan.Dialect, _index, new TextHeap(_arena));
        _mask = (ulong*)_arena.Rent(ColumnBatch.MaxRows / 8).Pointer;

        // Records are known to be wrong only when all their fields were read.
        var wanted = fields.Contains(plan.Columns.Count) ? Enumerable.Range(0, plan.Columns.Count) : fields.Distinct();
        var columns = wanted.ToDictionary(field => field, field => CsvColumns.Of(plan.Columns[field].Type, field, _arena, plan.Formats, plan.Columns[field].Name));
        _parsed = [.. columns.Values];
        _byPosition = [.. fields.Select(columns.GetValueOrDefault)];
        _isLoaded = new bool[fields.Count];
        _load = Load;

        // Where wrong records are told apart, all of them are looked at.
        CanFilter = plan.Mode == MalformedMode.Permissive && !fields.Contains(plan.Columns.Count);
        _filter = new RowFilter(_arena, fields, CanFilter ? dynamic : []);
        if (fields.Contains(plan.Columns.Count)) _corrupt = new CsvCorruptColumn(_arena);
        _batch = new ColumnBatch([.. fields.Select(field => field == plan.Columns.Count ? _corrupt!.Vector : columns[field].Vector)]);
    }

    private bool CanFilter { get; }

    public override bool TryTake(FilterEvaluator filter)
    {
        if (CanFilter) _filter.Add(filter);
        return CanFilter;
    }

    public override bool TryNext(out ColumnBatch batch)
    {
        batch = _batch;
        if (!_isStarted) Start();
        while (!_isDone)
        {
            _task.CancellationToken.ThrowIfCancellationRequested();
            var hasMore = _index.Find(_buffer.Pointer, _next, _length, Stop(), _atEnd, _mostRows);
            var isEmpty = _index.Rows == 0;
            _next = _index.Next;
            if (!hasMore || isEmpty)
            {
                if (_atEnd || _bufferOffset + _next >= _end) _isDone = true;
            }
            if (isEmpty)
            {
                if (!_isDone) Fill();
                continue;
            }
            if (Read()) return true;
        }
        return false;
    }

    public override void Dispose()
    {
        _stream.Dispose();
        _arena.Dispose();
        base.Dispose();
    }

    // The part's end as a place in the buffer.
    private int Stop() => (int)Math.Min(int.MaxValue, _end - _bufferOffset);

    private bool Read()
    {
        _block.Set(_buffer.Pointer, _plan.Columns.Count);
        if (!_filter.IsEmpty) return ReadWanted();
        foreach (var column in _parsed) column.Read(_block, null);
        _batch.Set(_block.Rows);
        if (_block.FirstBad.Row >= 0)
        {
            RefuseUnlikeGuess();
            if (_plan.Mode == MalformedMode.FailFast) throw Malformed();
            if (_plan.Mode == MalformedMode.DropMalformed) Drop();
        }
        _corrupt?.Read(_block, null);
        return _batch.Alive > 0;
    }

    // Columns of conditions first, others where records are left.
    private bool ReadWanted()
    {
        Array.Clear(_isLoaded);
        _batch.Set(_block.Rows);
        _filter.Run(_batch, _load);
        if (_batch.Alive > 0)
        {
            for (var i = 0; i < _isLoaded.Length; i++) Load(i);
        }
        RefuseUnlikeGuess();
        return _batch.Alive > 0;
    }

    private void Load(int position)
    {
        if (_isLoaded[position]) return;
        _isLoaded[position] = true;
        _byPosition[position]!.Read(_block, _batch.Mask);
    }

    private void Drop()
    {
        Bits.Zero(_mask, ColumnBatch.MaxRows);
        for (var row = 0; row < _block.Rows; row++)
        {
            if (!_block.IsBad(row)) Bits.Set(_mask, row);
        }
        _batch.Set(_block.Rows, _mask);
    }

    private void RefuseUnlikeGuess()
    {
        var (row, column) = _block.FirstUnlike;
        if (!_plan.IsGuess || row < 0 || !_block.TryField(row, column, out var text, out var length)) return;
        var value = Encoding.UTF8.GetString(text, Math.Min(length, 100)) + (length > 100 ? "..." : "");
        var field = _plan.Columns[column];
        throw TextFiles.NotAsInferred(
            _split.Path, _split.FileLength, _bufferOffset + _index.Record(row).Start, $"column '{field.Name}' is '{value}', which is no {field.Type}, the type inferred from the first records");
    }

    private QueryException Malformed()
    {
        var (row, column) = _block.FirstBad;
        var (start, length) = _index.Record(row);
        var text = Encoding.UTF8.GetString(_buffer.Pointer + start, Math.Min(length, 200));
        var what = column < 0
            ? $"it has {_index.FieldCount(row)} fields instead of {_plan.Columns.Count}"
            : $"its field '{_plan.Columns[column].Name}' is no {_plan.Columns[column].Type}";
        return new QueryException(
            "MALFORMED_RECORD_IN_PARSING",
            $"The record of '{_split.Path}' at byte {_bufferOffset + start:N0} does not fit: {what}. It reads: {text}{(length > 200 ? "..." : "")} Correct it, give a schema, or read with Mode = Permissive.");
    }

    // Finds the first record that begins in the part.
    private void Start()
    {
        _isStarted = true;
        Fill();
        if (_bufferOffset == 0)
        {
            TextFiles.CheckUtf8(new ReadOnlySpan<byte>(_buffer.Pointer, _length), _split.Path);
            if (_length >= 3 && new ReadOnlySpan<byte>(_buffer.Pointer, 3).SequenceEqual("\uFEFF"u8)) _next = 3;
            if (!_plan.HasHeader) return;
            while (!_index.Find(_buffer.Pointer, _next, _length, int.MaxValue, _atEnd, 1) && _index.Rows == 0 && !_atEnd) Fill();
            _next = _index.Next;
            return;
        }
        var states = new CsvStates(_plan.Dialect);
        var state = _split.State ?? CsvState.Plain;
        while (state != CsvState.RecordStart)
        {
            if (_next == _length)
            {
                if (_atEnd) break;
                Fill();
                continue;
            }
            state = states.Next(state, _buffer.Pointer[_next++]);
        }
        if (_bufferOffset + _next >= _end || (_atEnd && _next == _length)) _isDone = true;
    }

    // Moves what was not read yet to the front and reads more behind it.
    private void Fill()
    {
        var left = _length - _next;
        if (_next == 0 && _length == _capacity) Grow();
        else if (_next > 0) Buffer.MemoryCopy(_buffer.Pointer + _next, _buffer.Pointer, _capacity, left);
        _bufferOffset += _next;
        _next = 0;
        _length = left;
        var room = _capacity - left;
        var read = TextFiles.Fill(_stream, new Span<byte>(_buffer.Pointer + left, room));
        _length += read;
        _atEnd = read < room;
        _task.Metrics.InputBytes += read;
    }

    private void Grow()
    {
        if (_capacity >= 1 << 29)
        {
            throw new QueryException(
                "MALFORMED_CSV_RECORD",
                $"The record of '{_split.Path}' at byte {_bufferOffset:N0} does not end within {_capacity:N0} bytes. Perhaps a quote is not closed: set MultiLine = false, or Quote = null.");
        }
        var larger = _arena.Rent(_capacity * 2);
        Buffer.MemoryCopy(_buffer.Pointer, larger.Pointer, _capacity * 2L, _length);
        _arena.Return(_buffer);
        _buffer = larger;
        _capacity *= 2;
    }
}
