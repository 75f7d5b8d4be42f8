using Dataflow.Errors;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Sources;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Sql.Caching;

/// <summary>Reads blocks as batches that point into them; batches whose zones show that no row is wanted are passed over.</summary>
internal sealed unsafe class CacheBlockReader : BatchReader
{
    private readonly ChunkReader<Slab> _blocks;
    private readonly CancellationToken _cancellation;
    private readonly int[] _fields;
    private readonly ZoneFilter[] _filters;
    private readonly (IDynamicFilter Filter, int Field)[] _dynamic;
    private readonly TaskArena _arena;
    private readonly ColumnBatch _batch;
    private readonly FlatVector?[] _views;
    private readonly NativeBuffer?[] _entries;
    private readonly ColumnDictionary?[] _dictionaries;
    private readonly RowFilter _rowFilter;
    private readonly Action<int> _load;
    private readonly bool[] _isLoaded;
    private readonly int _width;
    private Slab[] _chunk = [];
    private int _chunkCount;
    private int _nextSlab;
    private byte* _block;
    private int _nextBatch;
    private int _at;

    /// <param name="blocks">The blocks; owned.</param>
    /// <param name="types">The types of all columns of the blocks.</param>
    /// <param name="request">What is wanted.</param>
    /// <param name="dynamic">What becomes known while it reads.</param>
    /// <param name="context">The task.</param>
    public CacheBlockReader(ChunkReader<Slab> blocks, ValueList<DataType> types, ScanRequest request, IReadOnlyList<IDynamicFilter> dynamic, TaskContext context)
    {
        _blocks = blocks;
        _cancellation = context.CancellationToken;
        _width = types.Count;
        _fields = [.. request.Fields];
        _filters = [.. request.Filters.Select(filter => ZoneFilter.Of(filter, types[filter.Field])).OfType<ZoneFilter>()];
        _dynamic = [.. dynamic.Where(filter => ZoneKey.IsValue(types[filter.Field].Physical)).Select(filter => (filter, filter.Field))];
        _arena = new TaskArena(context, "cached rows");
        _batch = new ColumnBatch([.. _fields.Select(field => new ColumnVector(types[field]))]);
        _views = new FlatVector?[_fields.Length];
        _entries = new NativeBuffer?[_fields.Length];
        _rowFilter = new RowFilter(_arena, request.Fields, dynamic);
        _load = Load;
        _isLoaded = new bool[_fields.Length];
        _dictionaries = new ColumnDictionary?[_fields.Length];
    }

    public override bool TryTake(FilterEvaluator filter)
    {
        _rowFilter.Add(filter);
        return true;
    }

    public override bool TryNext(out ColumnBatch batch)
    {
        batch = _batch;
        while (true)
        {
            _cancellation.ThrowIfCancellationRequested();
            if (_block == null && !NextBlock()) return false;
            var header = (CacheHeader*)_block;
            while (_nextBatch < header->Batches)
            {
                _at = _nextBatch++;
                var rows = Math.Min(ColumnBatch.MaxRows, header->Rows - (_at * ColumnBatch.MaxRows));
                if (IsRejected(_at, rows)) continue;
                _batch.Set(rows);
                Array.Clear(_isLoaded);
                if (!_rowFilter.IsEmpty) _rowFilter.Run(_batch, _load);
                if (_batch.Alive == 0) continue;
                for (var i = 0; i < _fields.Length; i++) Load(i);
                return true;
            }
            _block = null;
        }
    }

    public override void Dispose()
    {
        _block = null;
        _blocks.Dispose();
        _arena.Dispose();
        base.Dispose();
    }

    private bool NextBlock()
    {
        while (_nextSlab == _chunkCount)
        {
            if (!_blocks.TryRead(out var chunk)) return false;
            if (_chunk.Length < chunk.Length) _chunk = new Slab[chunk.Length];
            chunk.CopyTo(_chunk);
            _chunkCount = chunk.Length;
            _nextSlab = 0;
        }
        var slab = _chunk[_nextSlab++];
        var header = (CacheHeader*)slab.Pointer;
        if (slab.Length < sizeof(CacheHeader) || header->Columns != _width || header->Rows is < 1 or > CacheBlock.MaxRows)
            throw new CorruptDataException("A block of cached rows is damaged: its header does not fit it.");
        _block = slab.Pointer;
        _nextBatch = 0;
        Array.Clear(_dictionaries);
        return true;
    }

    private bool IsRejected(int batch, int rows)
    {
        foreach (var filter in _filters)
        {
            if (filter.Rejects(CacheBlock.ZonesOf(_block, filter.Column)[batch], rows)) return true;
        }
        foreach (var (filter, field) in _dynamic)
        {
            if (filter.Bounds is not { } wanted) continue;
            var zone = CacheBlock.ZonesOf(_block, field) + batch;
            if (zone->Nulls == rows || (zone->IsKnown != 0 && (zone->Max < wanted.Min || zone->Min > wanted.Max))) return true;
        }
        return false;
    }

    private void Load(int index)
    {
        if (_isLoaded[index]) return;
        _isLoaded[index] = true;
        Show(index, _at, _batch.Rows);
    }

    private void Show(int index, int batch, int rows)
    {
        var field = _fields[index];
        var column = CacheBlock.ColumnsOf(_block) + field;
        var zone = CacheBlock.ZonesOf(_block, field) + batch;
        var vector = _batch.Columns[index];
        var first = batch * ColumnBatch.MaxRows;
        vector.Length = rows;
        vector.Validity = zone->Nulls == 0 ? null : (ulong*)(_block + column->Validity) + (first / 64);
        vector.Bounds = zone->IsKnown != 0 && ZoneKey.IsValue(vector.Type.Physical) ? new ValueBounds(zone->Min, zone->Max) : null;
        if (column->Dictionary != 0)
        {
            vector.Form = VectorForm.Dictionary;
            vector.Dictionary = _dictionaries[index] ??= DictionaryOf(index, vector.Type, column);
            vector.Codes = (uint*)(_block + column->Values) + first;
            return;
        }
        vector.Form = VectorForm.Flat;
        if (vector.Type.Physical != PhysicalType.View || column->IsInline != 0)
        {
            vector.Data = _block + column->Values + CacheBlock.ValueBytes(vector.Type.Physical, first);
            return;
        }
        var views = _views[index] ??= new FlatVector(_arena, vector.Type);
        Place((StringView*)(_block + column->Values) + first, rows, (StringView*)views.Data, _block + column->Heap);
        vector.Data = views.Data;
    }

    private ColumnDictionary DictionaryOf(int index, DataType type, CacheColumn* column)
    {
        var stored = (StringView*)(_block + column->Dictionary);
        var values = new ColumnVector(type) { Form = VectorForm.Flat, Length = column->DictionaryCount, Data = (byte*)stored };
        if (column->IsInline != 0) return new ColumnDictionary(values);
        var bytes = column->DictionaryCount * sizeof(StringView);
        if (_entries[index] is not { } entries || entries.Length < bytes)
        {
            if (_entries[index] is { } small) _arena.Return(small);
            _entries[index] = entries = _arena.Rent(bytes);
        }
        Place(stored, column->DictionaryCount, (StringView*)entries.Pointer, _block + column->Heap);
        values.Data = entries.Pointer;
        return new ColumnDictionary(values);
    }

    // Places among the bytes of texts become pointers.
    private static void Place(StringView* stored, int count, StringView* views, byte* heap)
    {
        for (var i = 0; i < count; i++)
        {
            views[i] = stored[i];
            if (stored[i].Length > StringView.MaxInline) views[i].Pointer = heap + (nint)stored[i].Pointer;
        }
    }
}
