using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.ParquetEncodings;
using Dataflow.Sql.ParquetMetadata;

namespace Dataflow.Sql.Parquet;

/// <summary>The dictionary of a chunk, once its page was read, and what codes of rows become by it.</summary>
/// <param name="arena">Whose memory it takes.</param>
/// <param name="column">How values are stored.</param>
/// <param name="bounds">What statistics say of the values.</param>
internal sealed unsafe class ChunkDictionary(TaskArena arena, StoredColumn column, ValueBounds? bounds)
{
    /// <summary>The values; null before the page was read, and if it has none.</summary>
    public ColumnDictionary? Values { get; private set; }

    /// <summary>Reads the page.</summary>
    /// <exception cref="CorruptDataException">It is a second one, or no such page.</exception>
    public void Read(PageBodies pages, in PageHeader header, ColumnDecoders decoders)
    {
        if (Values is not null) throw new CorruptDataException("parquet", 0, "a chunk has two dictionaries");
        if (header.Encoding is not (PageEncoding.Plain or PageEncoding.PlainDictionary)) throw new CorruptDataException("parquet", 0, $"a dictionary is written as {header.Encoding}");
        if (column.Stored == StoredKind.Boolean) throw new CorruptDataException("parquet", 0, "a boolean column has a dictionary");
        var body = pages.ReadBody(header, pages.OwnRoom(header));
        if (header.Values == 0) return;

        // Every value takes a byte of the page at least, so that this can't be more than the page's own size times the width of ours.
        var smallest = Math.Max(1, column.Stored == StoredKind.Bytes ? 4 : column.StoredWidth);
        if (header.Values > (body.End - body.Start) / smallest || (long)header.Values * column.Type.ByteWidth > int.MaxValue - 4096)
            throw new CorruptDataException("parquet", 0, $"a dictionary of {body.End - body.Start:N0} bytes should have {header.Values:N0} values");
        var values = new ColumnVector(column.Type)
        {
            Length = header.Values,
            Data = arena.Rent(header.Values * column.Type.ByteWidth).Pointer,
            Bounds = bounds,
        };
        var decoder = decoders.ForDictionary();
        decoder.Start(body.Start, body.End, header.Values);
        decoders.Read(decoder, values.Data, header.Values);
        StatisticsBounds.Check(column.Type.Physical, values.Data, header.Values, bounds);
        Values = new ColumnDictionary(values);
    }

    /// <summary>Checks that codes name values.</summary>
    /// <exception cref="CorruptDataException">One does not.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Check(uint* codes, int count)
    {
        var limit = (uint)(Values?.Count ?? 0);
        var most = Vector512<uint>.Zero;
        var i = 0;
        for (; i + Vector512<uint>.Count <= count; i += Vector512<uint>.Count) most = Vector512.Max(most, Vector512.Load(codes + i));
        var largest = 0u;
        for (var lane = 0; lane < Vector512<uint>.Count; lane++) largest = Math.Max(largest, most[lane]);
        for (; i < count; i++) largest = Math.Max(largest, codes[i]);
        if (count > 0 && largest >= limit) throw new CorruptDataException("parquet", 0, $"a row has the code {largest}, where the dictionary has {limit} values");
    }

    /// <summary>Codes of some rows become values.</summary>
    /// <param name="codes">Codes, by row.</param>
    /// <param name="to">Room for values, by row.</param>
    /// <param name="at">The first of the rows.</param>
    /// <param name="count">How many there are.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Gather(uint* codes, byte* to, int at, int count)
    {
        var values = Values!.Values.Data;
        var end = at + count;
        switch (column.Type.ByteWidth)
        {
            case 1: for (var i = at; i < end; i++) to[i] = values[codes[i]]; break;
            case 2: for (var i = at; i < end; i++) ((ushort*)to)[i] = ((ushort*)values)[codes[i]]; break;
            case 4: for (var i = at; i < end; i++) ((uint*)to)[i] = ((uint*)values)[codes[i]]; break;
            case 8: for (var i = at; i < end; i++) ((ulong*)to)[i] = ((ulong*)values)[codes[i]]; break;
            default: for (var i = at; i < end; i++) ((Vector128<byte>*)to)[i] = ((Vector128<byte>*)values)[codes[i]]; break;
        }
    }
}
