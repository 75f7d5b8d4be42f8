using Dataflow.Sql.Columns;
using Dataflow.Sql.ParquetMetadata;
using Dataflow.Storage;

namespace Dataflow.Sql.ParquetEncodings;

/// <summary>The decoders of one column, made when a page first needs them, and the conversion behind them.</summary>
internal sealed unsafe class ColumnDecoders(StoredColumn column, TaskArena arena)
{
    private const int ScratchBytes = 1 << 20;

    private readonly Dictionary<PageEncoding, ValueDecoder> _decoders = [];
    private NativeBuffer? _scratch;
    private TextHeap? _heap;

    private bool IsText => column.Type.Kind == TypeKind.String;

    /// <summary>The decoder of an encoding.</summary>
    /// <exception cref="CorruptDataException">There is none for such values.</exception>
    public ValueDecoder For(PageEncoding encoding)
    {
        if (_decoders.TryGetValue(encoding, out var known)) return known;
        return _decoders[encoding] = Make(encoding);
    }

    /// <summary>A decoder for the values of a dictionary.</summary>
    public ValueDecoder ForDictionary() => Make(PageEncoding.Plain);

    /// <summary>Memory behind views of the last batch may be used again.</summary>
    public void NextBatch()
    {
        _heap?.Clear();
        foreach (var decoder in _decoders.Values) decoder.NextBatch();
    }

    /// <summary>Reads values and converts them.</summary>
    public void Read(ValueDecoder decoder, byte* to, int count)
    {
        if (column.Form == ValueForm.Same)
        {
            decoder.Read(to, count);
            return;
        }
        var width = column.StoredWidth;
        var step = Math.Max(1, ScratchBytes / width);
        for (; count > 0; count -= step, to += (nint)step * column.Type.ByteWidth)
        {
            step = Math.Min(step, count);
            var stored = decoder.Lend(step);
            if (stored == null)
            {
                stored = Scratch(step * width);
                decoder.Read(stored, step);
            }
            Conversion.Run(column, stored, to, step);
        }
    }

    // Views of fixed bytes point at where they were read to, so each batch needs its own memory for them.
    private byte* Scratch(int bytes)
    {
        if (column.Form == ValueForm.FixedToView) return (_heap ??= new TextHeap(arena)).Allocate(bytes);
        if (_scratch is null || _scratch.Length - TaskArena.Slack < bytes)
        {
            if (_scratch is not null) arena.Return(_scratch);
            _scratch = arena.Rent(bytes);
        }
        return _scratch.Pointer;
    }

    private ValueDecoder Make(PageEncoding encoding) => (encoding, column.Stored) switch
    {
        (PageEncoding.Plain, StoredKind.Boolean) => new PlainBitDecoder(),
        (PageEncoding.Plain, StoredKind.Bytes) => new PlainBytesDecoder(IsText),
        (PageEncoding.Plain, _) => new PlainFixedDecoder(column.StoredWidth),
        (PageEncoding.Rle, StoredKind.Boolean) => new RunBitDecoder(),
        (PageEncoding.DeltaBinary, StoredKind.Int32 or StoredKind.Int64) => new DeltaIntegerDecoder(column.StoredWidth),
        (PageEncoding.DeltaLength, StoredKind.Bytes) => new DeltaLengthDecoder(IsText),
        (PageEncoding.DeltaBytes, StoredKind.Bytes) => new DeltaBytesDecoder(0, IsText, arena),
        (PageEncoding.DeltaBytes, StoredKind.FixedBytes) => new DeltaBytesDecoder(column.StoredWidth, isText: false, arena),
        (PageEncoding.ByteStreamSplit, not (StoredKind.Boolean or StoredKind.Bytes or StoredKind.Int96)) => new ByteStreamSplitDecoder(column.StoredWidth),
        _ => throw new CorruptDataException("parquet", 0, $"its values, {column.Stored}, are written as {encoding}, which is not supported for them"),
    };
}
