using Dataflow.Sql.Columns;
using Dataflow.Sql.ParquetEncodings;
using Dataflow.Sql.ParquetMetadata;
using Dataflow.Storage;

namespace Dataflow.Sql.Parquet;

/// <summary>
/// Reads one column of one row group, a batch at a time. Pages are read and decompressed when their first row is wanted, and one at a time;
/// pages of rows that are skipped are not decompressed.
/// </summary>
/// <remarks>Rows of dictionary pages stay codes, with one dictionary for the whole chunk; where a chunk goes on without its dictionary, the batch in
/// which that happens and those after it are flat. Values of one page without nulls that need no conversion are lent where they lie.</remarks>
internal sealed unsafe class ColumnReader
{
    private readonly TaskArena _arena;
    private readonly StoredColumn _column;
    private readonly ChunkStream _stream;
    private readonly PageBodies _pages;
    private readonly ColumnDecoders _decoders;
    private readonly ValueBounds? _bounds;
    private readonly PageOffsets? _offsets;
    private readonly ChunkDictionary _dictionary;
    private readonly long _rows;

    private FlatVector? _flat;
    private NativeBuffer? _codes;
    private NativeBuffer? _scratch;
    private HybridReader _levels;
    private HybridReader _codeRuns;
    private ValueDecoder? _decoder;
    private long _chunkLeft;
    private int _pageLeft;
    private bool _hasLevels;
    private bool _isCoded;

    /// <summary>A reader at the first row of a chunk.</summary>
    /// <param name="arena">Whose memory it takes.</param>
    /// <param name="file">The file; other columns read it too.</param>
    /// <param name="column">How values are stored.</param>
    /// <param name="chunk">Where.</param>
    /// <param name="rows">Rows of the row group.</param>
    /// <param name="offsets">Where pages begin, if that is known: skipping goes to the right one at once.</param>
    public ColumnReader(TaskArena arena, Stream file, StoredColumn column, ColumnChunk chunk, long rows, PageOffsets? offsets = null)
    {
        _arena = arena;
        _column = column;
        if (chunk.Stored != column.Stored) throw new CorruptDataException("parquet", chunk.Offset, $"the chunk holds {chunk.Stored}, where the schema says {column.Stored}");
        if (chunk.Values != rows) throw new CorruptDataException("parquet", chunk.Offset, $"the chunk has {chunk.Values:N0} values for {rows:N0} rows");
        _stream = new ChunkStream(file, arena, chunk.Offset, chunk.Offset + chunk.Bytes);
        _pages = new PageBodies(_stream, arena, chunk.Codec);
        _decoders = new ColumnDecoders(column, arena);
        _bounds = StatisticsBounds.Of(column, chunk.Statistics);
        _dictionary = new ChunkDictionary(arena, column, _bounds);
        _rows = rows;
        _chunkLeft = rows;
        _offsets = offsets;
        Vector = new ColumnVector(column.Type);
    }

    /// <summary>The rows that were last read.</summary>
    public ColumnVector Vector { get; }

    /// <summary>Where the page that was last looked at begins, for errors.</summary>
    public long Position => _pages.Position;

    /// <summary>Bytes read from the file so far.</summary>
    public long BytesRead => _stream.BytesRead;

    /// <summary>The row that is read next.</summary>
    public long Next => _rows - _chunkLeft - _pageLeft;

    private bool HoldsViews => _column.Type.Physical == PhysicalType.View;

    /// <summary>Reads the next rows into <see cref="Vector"/>, which the reader may use again for the next ones.</summary>
    /// <param name="rows">At most <see cref="ColumnBatch.MaxRows"/>, and no more than are left.</param>
    /// <param name="mask">The rows that are wanted; null for all. Of others, codes and views may be left out where that saves work.</param>
    public void Read(int rows, ulong* mask = null)
    {
        _pages.Release();
        _decoders.NextBatch();
        var batch = new BatchState();
        while (batch.Rows < rows)
        {
            if (_pageLeft == 0)
            {
                if (batch.Rows > 0 && HoldsViews) _pages.Keep();
                NextPage();
                continue;
            }
            var take = Math.Min(_pageLeft, rows - batch.Rows);
            var isWanted = true;
            if (mask != null && (_isCoded || HoldsViews)) isWanted = SparseRows.NextRun(mask, batch.Rows, ref take);
            var present = ReadLevels(ref batch, take);
            if (_isCoded && (present > 0 || _dictionary.Values is not null)) ReadCodes(ref batch, take, present, isWanted);
            else if (isWanted || !HoldsViews) ReadValues(ref batch, take, present, isWhole: take == rows);
            else PassViews(ref batch, take, present);
            batch.Rows += take;
            _pageLeft -= take;
        }
        Show(batch);
    }

    /// <summary>Passes over rows.</summary>
    /// <param name="rows">No more than are left.</param>
    public void Skip(long rows)
    {
        while (rows > 0)
        {
            if (_pageLeft == 0)
            {
                rows -= Jump(rows);
                var header = NextDataHeader();
                if (header.Values <= rows)
                {
                    _pages.SkipBody(header);
                    rows -= header.Values;
                    _chunkLeft -= header.Values;
                    continue;
                }
                Open(header);
            }
            var take = (int)Math.Min(_pageLeft, rows);
            var present = take;
            if (_hasLevels) present = SkipLevels(take);
            if (_isCoded) _codeRuns.Skip(present);
            else _decoder!.Skip(present);
            _pageLeft -= take;
            rows -= take;
        }
    }

    // Goes to the page that holds the row so many rows ahead, if it is known where it begins, and gives how many rows that passed over.
    private long Jump(long rows)
    {
        if (_offsets is null) return 0;
        var next = _rows - _chunkLeft;
        var page = _offsets.PageOf(next + rows);
        if (_offsets.FirstRows[page] <= next) return 0;

        // The dictionary stands before the first page, and is needed whichever page follows.
        if (_stream.Position < _offsets.Offsets[0])
        {
            var header = _pages.NextHeader();
            if (header.Kind == PageKind.Dictionary) _dictionary.Read(_pages, header, _decoders);
        }
        var passed = _offsets.FirstRows[page] - next;
        _stream.Seek(_offsets.Offsets[page]);
        _chunkLeft -= passed;
        return passed;
    }

    private int SkipLevels(int rows)
    {
        if (_levels.IsRepeated(rows, out var value))
        {
            _levels.Skip(rows);
            return value != 0 ? rows : 0;
        }
        var present = 0;
        while (rows > 0)
        {
            // The validity of the batch is free between batches.
            var step = Math.Min(rows, ColumnBatch.MaxRows);
            present += _levels.ReadBits(Flat.Validity, 0, step);
            rows -= step;
        }
        return present;
    }

    // Gives how many of the rows have values. The bitmap is written from the first page with nulls on.
    private int ReadLevels(ref BatchState batch, int take)
    {
        if (!_hasLevels || (_levels.IsRepeated(take, out var value) && value != 0))
        {
            if (_hasLevels) _levels.Skip(take);
            if (batch.HasNulls) BitRuns.Fill(Flat.Validity, batch.Rows, take, true);
            return take;
        }
        if (!batch.HasNulls) BitRuns.Fill(Flat.Validity, 0, batch.Rows, true);
        var present = _levels.ReadBits(Flat.Validity, batch.Rows, take);
        batch.HasNulls |= present < take;
        return present;
    }

    private void ReadCodes(ref BatchState batch, int take, int present, bool isWanted)
    {
        _codes ??= _arena.Rent(ColumnBatch.MaxRows * sizeof(uint));
        var codes = (uint*)_codes.Pointer + batch.Rows;
        if (isWanted)
        {
            _codeRuns.Read(codes, present);
            _dictionary.Check(codes, present);
            if (present < take) Spread.Run((byte*)codes, sizeof(uint), present, Flat.Validity, batch.Rows, take);
        }
        else
        {
            _codeRuns.Skip(present);
            new Span<uint>(codes, take).Clear();
            _dictionary.Check(codes, 1);
        }
        if (batch.Form == BatchForm.Values) _dictionary.Gather((uint*)_codes.Pointer, Flat.Data, batch.Rows, take);
        else batch.Form = BatchForm.Codes;
    }

    private void ReadValues(ref BatchState batch, int take, int present, bool isWhole)
    {
        if (batch.Form == BatchForm.Codes) _dictionary.Gather((uint*)_codes!.Pointer, Flat.Data, 0, batch.Rows);
        batch.Form = BatchForm.Values;
        var type = _column.Type;
        if (type.Physical == PhysicalType.Bit)
        {
            ReadBits(batch.Rows, take, present);
            return;
        }
        if (isWhole && present == take && _column.Form == ValueForm.Same && _decoder!.Lend(present) is var lent && lent != null)
        {
            StatisticsBounds.Check(type.Physical, lent, present, _bounds);
            batch.Lent = lent;
            return;
        }
        var to = Flat.Data + ((nint)batch.Rows * type.ByteWidth);
        if (present > 0)
        {
            _decoders.Read(_decoder!, to, present);
            StatisticsBounds.Check(type.Physical, to, present, _bounds);
        }
        if (present < take) Spread.Run(to, type.ByteWidth, present, Flat.Validity, batch.Rows, take);
    }

    // Rows that are not wanted: their views are empty.
    private void PassViews(ref BatchState batch, int take, int present)
    {
        if (batch.Form == BatchForm.Codes) _dictionary.Gather((uint*)_codes!.Pointer, Flat.Data, 0, batch.Rows);
        batch.Form = BatchForm.Values;
        if (present > 0) _decoder!.Skip(present);
        new Span<StringView>((StringView*)Flat.Data + batch.Rows, take).Clear();
    }

    private void ReadBits(int at, int take, int present)
    {
        var to = (ulong*)Flat.Data;
        if (present == take && (at & 63) == 0)
        {
            _decoder!.Read((byte*)(to + (at >> 6)), take);
            return;
        }
        _scratch ??= _arena.Rent(ColumnBatch.MaxRows / 8);
        var dense = (ulong*)_scratch.Pointer;
        if (present > 0) _decoder!.Read((byte*)dense, present);
        if (present == take) BitRuns.Copy((byte*)dense, 0, to, at, take);
        else BitRuns.Spread(dense, Flat.Validity, to, at, take);
    }

    private void Show(in BatchState batch)
    {
        Vector.Length = batch.Rows;
        Vector.Validity = batch.HasNulls ? Flat.Validity : null;
        Vector.Bounds = _bounds;
        if (batch.Form == BatchForm.Codes)
        {
            Vector.Form = VectorForm.Dictionary;
            Vector.Codes = (uint*)_codes!.Pointer;
            Vector.Dictionary = _dictionary.Values;
            Vector.Data = null;
            return;
        }
        Vector.Form = VectorForm.Flat;
        Vector.Codes = null;
        Vector.Dictionary = null;
        Vector.Data = batch.Lent != null ? batch.Lent : Flat.Data;
    }

    private FlatVector Flat => _flat ??= new FlatVector(_arena, _column.Type);

    private void NextPage() => Open(NextDataHeader());

    // Reads headers up to the next one of data; the dictionary, which comes first, is read on the way.
    private PageHeader NextDataHeader()
    {
        while (true)
        {
            var header = _pages.NextHeader();
            switch (header.Kind)
            {
                case PageKind.Dictionary:
                    _dictionary.Read(_pages, header, _decoders);
                    break;
                case PageKind.Index:
                    _pages.SkipBody(header);
                    break;
                default:
                    if (header.Values > _chunkLeft) throw new CorruptDataException("parquet", 0, $"a page should have {header.Values:N0} rows, where its chunk has {_chunkLeft:N0} left");
                    CheckIndex(header);
                    return header;
            }
        }
    }

    // Rows would come apart between columns if the index said other than the pages.
    private void CheckIndex(in PageHeader header)
    {
        if (_offsets is null) return;
        var row = _rows - _chunkLeft;
        var page = _offsets.PageOf(row);
        var end = page + 1 < _offsets.FirstRows.Length ? _offsets.FirstRows[page + 1] : _rows;
        if (_offsets.FirstRows[page] != row || end - row != header.Values)
            throw new CorruptDataException("parquet", 0, $"a page has {header.Values:N0} rows from row {row:N0} on, where the index of pages has {end - _offsets.FirstRows[page]:N0} from row {_offsets.FirstRows[page]:N0} on");
    }

    private void Open(in PageHeader header)
    {
        var body = _pages.ReadBody(header);
        var at = body.Start;
        _hasLevels = _column.IsOptional;
        if (header.Kind == PageKind.DataV2)
        {
            at += header.RepetitionBytes;
            if (_hasLevels) _levels.Start(at, at + header.DefinitionBytes, 1);
            at += header.DefinitionBytes;
            if (header.Nulls == 0) _hasLevels = false;
        }
        else if (_hasLevels)
        {
            if (header.LevelEncoding != PageEncoding.Rle) throw new CorruptDataException("parquet", 0, $"definition levels are written as {header.LevelEncoding}, which is not supported");
            if (body.End - at < 4 || *(uint*)at > body.End - at - 4) throw new CorruptDataException("parquet", 0, "a page ends inside its definition levels");
            var length = *(uint*)at;
            at += 4;
            _levels.Start(at, at + length, 1);
            at += length;
        }

        _isCoded = header.Encoding is PageEncoding.PlainDictionary or PageEncoding.RleDictionary;
        if (_isCoded)
        {
            // Of a page without values even the width may be missing.
            if (at < body.End) _codeRuns.Start(at + 1, body.End, *at);
            else _codeRuns.Start(at, at, 0);
        }
        else
        {
            _decoder = _decoders.For(header.Encoding);
            _decoder.Start(at, body.End, header.Values);
        }
        _pageLeft = header.Values;
        _chunkLeft -= header.Values;
    }

    private enum BatchForm : byte
    {
        None,
        Codes,
        Values,
    }

    private struct BatchState
    {
        public int Rows;
        public bool HasNulls;
        public BatchForm Form;
        public byte* Lent;
    }
}
