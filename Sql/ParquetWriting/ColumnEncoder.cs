using System.Numerics;
using System.Runtime.CompilerServices;
using Dataflow.Compression;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Parquet;
using Dataflow.Sql.ParquetEncodings;
using Dataflow.Sql.ParquetMetadata;
using Dataflow.Storage;

namespace Dataflow.Sql.ParquetWriting;

/// <summary>Writes the buffered values of a column as a chunk: a dictionary and codes if few values differ, else plainly; version 1 pages.</summary>
internal sealed unsafe class ColumnEncoder(TaskArena arena, ParquetWriteOptions options, PageCodec codec, ICompressionCodec compression)
{
    private const int PageBytes = 1 << 20;

    private readonly DictionaryBuilder _dictionary = new(arena);
    private readonly NativeBytes _body = new(arena);
    private readonly ThriftWriter _header = new();
    private NativeBuffer? _packed;

    /// <summary>Writes a chunk.</summary>
    /// <param name="buffer">The values.</param>
    /// <param name="output">Where to.</param>
    /// <param name="position">Where in the file that is; moves on.</param>
    public WrittenChunk Write(ColumnBuffer buffer, Stream output, ref long position)
    {
        var column = buffer.Column;
        var chunk = new WrittenChunk(column, codec, buffer.Rows, buffer.Rows - buffer.Present);
        var start = position;
        var isCoded = options.UseDictionaries && column.Stored != StoredKind.Boolean && _dictionary.TryBuild(buffer.Values.Pointer, buffer.Present, column);
        if (isCoded)
        {
            chunk.Distinct = _dictionary.Count;
            chunk.DictionaryOffset = position;
            WriteDictionary(chunk, output, ref position);
        }
        WritePages(buffer, chunk, isCoded, output, ref position);
        chunk.Bounds = BoundsOf(chunk);
        chunk.Bytes = position - start;
        if (options.BloomFilterColumns.Contains(column.Field.Name, StringComparer.OrdinalIgnoreCase) && column.Stored is not StoredKind.Boolean) chunk.Bloom = Bloom(buffer, isCoded);
        return chunk;
    }

    // Those of all pages; null if a page with values has none.
    private static (byte[] Min, byte[] Max)? BoundsOf(WrittenChunk chunk)
    {
        (byte[] Min, byte[] Max)? all = null;
        foreach (var page in chunk.Pages)
        {
            if (page.Nulls == page.Rows) continue;
            if (page.Bounds is not { } bounds) return null;
            all = all is { } known ? StatisticsBuilder.Union(chunk.Column, known, bounds) : bounds;
        }
        return all;
    }

    private void WritePages(ColumnBuffer buffer, WrittenChunk chunk, bool isCoded, Stream output, ref long position)
    {
        var width = isCoded ? Math.Max(1, BitOperations.Log2((uint)Math.Max(1, _dictionary.Count - 1)) + 1) : 0;
        var value = buffer.Values.Pointer;
        var index = 0;
        var row = 0;
        do
        {
            var rows = Math.Min(options.PageRows, buffer.Rows - row);
            var (present, bytes) = isCoded ? (Count(buffer, row, rows), 0) : Measure(buffer, row, ref rows, value);
            _body.Clear();
            if (buffer.Column.Field.Nullable) WriteLevels(buffer, row, rows, present);
            if (isCoded) WriteCodes(index, present, width);
            else WritePlain(buffer.Column, value, bytes, present);
            var bounds = !options.WriteStatistics ? null
                : isCoded && buffer.Column.Stored == StoredKind.Bytes ? StatisticsBuilder.Of(_dictionary, _dictionary.Codes + index, present)
                : StatisticsBuilder.Of(buffer.Column, isCoded ? buffer.Values.Pointer + ((nint)index * buffer.Column.Width) : value, present);
            var offset = position;
            WritePage(PageKind.Data, rows, isCoded ? PageEncoding.RleDictionary : PageEncoding.Plain, chunk, output, ref position);
            chunk.Pages.Add(new WrittenPage(offset, (int)(position - offset), row, rows, rows - present, bounds));
            value += bytes;
            index += present;
            row += rows;
        }
        while (row < buffer.Rows);
    }

    // How many values some rows have and how many bytes those; of long values, fewer rows make a page.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private (int Present, int Bytes) Measure(ColumnBuffer buffer, int row, ref int rows, byte* value)
    {
        if (buffer.Column.Stored != StoredKind.Bytes)
        {
            var values = Count(buffer, row, rows);
            return (values, values * buffer.Column.Width);
        }
        var (present, bytes) = (0, 0);
        for (var i = 0; i < rows; i++)
        {
            var bit = row + i;
            if ((buffer.Validity[bit >> 6] >> (bit & 63) & 1) == 0) continue;
            var length = 4 + *(int*)(value + bytes);
            if (bytes > 0 && (long)bytes + length > PageBytes)
            {
                rows = i;
                break;
            }
            bytes += length;
            present++;
        }
        return (present, bytes);
    }

    private static int Count(ColumnBuffer buffer, int row, int rows) => buffer.Present == buffer.Rows ? rows : BitRuns.Count(buffer.Validity, row, rows);

    private void WriteLevels(ColumnBuffer buffer, int row, int rows, int present)
    {
        var to = _body.Reserve(4 + HybridWriter.MaxBytes(rows, 1));
        var bytes = HybridWriter.WriteBits(buffer.Validity, row, rows, present, to + 4);
        *(int*)to = bytes;
        _body.Advance(4 + bytes);
    }

    private void WriteCodes(int index, int count, int width)
    {
        var to = _body.Reserve(1 + HybridWriter.MaxBytes(count, width));
        *to = (byte)width;
        _body.Advance(1 + HybridWriter.Write(_dictionary.Codes + index, count, width, to + 1));
    }

    private void WritePlain(WrittenColumn column, byte* values, int bytes, int count)
    {
        if (column.Stored != StoredKind.Boolean)
        {
            _body.Add(new ReadOnlySpan<byte>(values, bytes));
            return;
        }
        var to = _body.Reserve((count / 8) + 1);
        new Span<byte>(to, (count + 7) / 8).Clear();
        for (var i = 0; i < count; i++) to[i >> 3] |= (byte)(values[i] << (i & 7));
        _body.Advance((count + 7) / 8);
    }

    private void WriteDictionary(WrittenChunk chunk, Stream output, ref long position)
    {
        _body.Clear();
        _body.Add(new ReadOnlySpan<byte>(_dictionary.Values.Pointer, _dictionary.Values.Length));
        WritePage(PageKind.Dictionary, _dictionary.Count, PageEncoding.Plain, chunk, output, ref position);
    }

    private void WritePage(PageKind kind, int values, PageEncoding encoding, WrittenChunk chunk, Stream output, ref long position)
    {
        var raw = new ReadOnlySpan<byte>(_body.Pointer, _body.Length);
        var stored = raw;
        if (codec != PageCodec.None)
        {
            var most = compression.MaxCompressedLength(raw.Length);
            if (_packed is null || _packed.Length - TaskArena.Slack < most)
            {
                if (_packed is not null) arena.Return(_packed);
                _packed = arena.Rent(most);
            }
            stored = new ReadOnlySpan<byte>(_packed.Pointer, compression.Compress(raw, new Span<byte>(_packed.Pointer, most)));
        }
        _header.Clear();
        _header.Int32(1, (int)kind);
        _header.Int32(2, raw.Length);
        _header.Int32(3, stored.Length);
        if (options.WriteChecksums) _header.Int32(4, (int)Crc32.Of(stored));
        _header.Begin(kind == PageKind.Data ? 5 : 7);
        _header.Int32(1, values);
        _header.Int32(2, (int)encoding);
        if (kind == PageKind.Data)
        {
            _header.Int32(3, (int)PageEncoding.Rle);
            _header.Int32(4, (int)PageEncoding.Rle);
        }
        _header.End();
        _header.End();
        output.Write(_header.Written);
        output.Write(stored);
        position += _header.Written.Length + stored.Length;
        chunk.RawBytes += _header.Written.Length + raw.Length;
    }

    // Blocks of 256 bits, ten bits for each different value: about one look-up in a hundred is wrongly let through.
    private byte[] Bloom(ColumnBuffer buffer, bool isCoded)
    {
        var values = isCoded ? _dictionary.Values.Pointer : buffer.Values.Pointer;
        var count = isCoded ? _dictionary.Count : buffer.Present;
        var blocks = new byte[(int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(32, Math.Min(count * 10L / 8, 1 << 24)))];
        for (var i = 0; i < count; i++)
        {
            var length = buffer.Column.Width;
            if (length == 0)
            {
                length = *(int*)values;
                values += 4;
            }
            BloomFilter.Add(blocks, (ulong)SparkHash.Xx(new ReadOnlySpan<byte>(values, length), 0));
            values += length;
        }
        return blocks;
    }
}
