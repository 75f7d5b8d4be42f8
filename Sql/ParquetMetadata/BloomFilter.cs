using System.Buffers.Binary;
using System.Text;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.ParquetMetadata;

/// <summary>Asks the Bloom filter of a chunk whether values can be in it. (Apache Parquet format, BloomFilter.md: split blocks of 256 bits)</summary>
internal static class BloomFilter
{
    private const int BlockBytes = 32;
    private const int HeaderBytes = 64;

    // One for each word of a block.
    private static ReadOnlySpan<uint> Salts => [0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31];

    /// <summary>Whether no row of a chunk can satisfy a filter.</summary>
    /// <remarks>Reads the filter's head and 32 bytes for each value. A filter that can't be read says nothing.</remarks>
    public static bool Rejects(Stream file, ScanFilter filter, StoredColumn column, ColumnChunk chunk)
    {
        if (chunk.BloomOffset < 4 || filter.Operator is not (ScanOperator.Equal or ScanOperator.In) || filter.Values.Count is 0 or > 100) return false;
        var hashes = new ulong[filter.Values.Count];
        for (var i = 0; i < hashes.Length; i++)
        {
            if (StoredBytes(filter.Values[i], column) is not { } bytes) return false;
            hashes[i] = (ulong)SparkHash.Xx(bytes, 0);
        }
        if (ReadHead(file, chunk.BloomOffset, out var blocksAt, out var bytesOfBlocks) is false) return false;
        var block = new byte[BlockBytes];
        foreach (var hash in hashes)
        {
            var index = (long)((hash >> 32) * (ulong)(bytesOfBlocks / BlockBytes) >> 32);
            file.Position = blocksAt + (index * BlockBytes);
            if (file.ReadAtLeast(block, BlockBytes, throwOnEndOfStream: false) < BlockBytes || Holds(block, (uint)hash)) return false;
        }
        return true;
    }

    /// <summary>Whether a block may hold a hash.</summary>
    public static bool Holds(ReadOnlySpan<byte> block, uint hash)
    {
        for (var i = 0; i < 8; i++)
        {
            if ((BinaryPrimitives.ReadUInt32LittleEndian(block[(4 * i)..]) >> (int)(unchecked(hash * Salts[i]) >> 27) & 1) == 0) return false;
        }
        return true;
    }

    /// <summary>Puts a hash into the blocks of a filter.</summary>
    public static void Add(Span<byte> blocks, ulong hash)
    {
        var index = (int)((hash >> 32) * (ulong)(blocks.Length / BlockBytes) >> 32);
        var block = blocks.Slice(index * BlockBytes, BlockBytes);
        for (var i = 0; i < 8; i++)
        {
            var word = BinaryPrimitives.ReadUInt32LittleEndian(block[(4 * i)..]) | 1u << (int)(unchecked((uint)hash * Salts[i]) >> 27);
            BinaryPrimitives.WriteUInt32LittleEndian(block[(4 * i)..], word);
        }
    }

    private static bool ReadHead(Stream file, long offset, out long blocksAt, out int bytes)
    {
        (blocksAt, bytes) = (0, 0);
        if (offset >= file.Length) return false;
        var head = new byte[HeaderBytes];
        file.Position = offset;
        var length = file.ReadAtLeast(head, HeaderBytes, throwOnEndOfStream: false);
        var reader = new ThriftReader(head.AsSpan(0, length));
        var isKnown = true;
        try
        {
            var id = 0;
            while (reader.NextField(ref id, out var kind))
            {
                if (id == 1) bytes = reader.Int32(kind);
                else isKnown &= IsFirstChoice(ref reader, kind);
            }
        }
        catch (CorruptDataException)
        {
            return false;
        }
        blocksAt = offset + reader.Position;
        return isKnown && bytes >= BlockBytes && bytes % BlockBytes == 0 && blocksAt + bytes <= file.Length;
    }

    // Algorithm, hash and compression have one choice each so far: the first.
    private static bool IsFirstChoice(ref ThriftReader reader, ThriftKind kind)
    {
        ThriftReader.Struct(kind);
        var isFirst = false;
        var id = 0;
        while (reader.NextField(ref id, out var field))
        {
            isFirst = id == 1;
            reader.Skip(field);
        }
        return isFirst;
    }

    // A literal as its column stores it; null where that is not plain.
    private static byte[]? StoredBytes(Literal literal, StoredColumn column)
    {
        switch (literal.Value)
        {
            case string text when column is { Stored: StoredKind.Bytes, Form: ValueForm.Same }: return Encoding.UTF8.GetBytes(text);
            case byte[] bytes when column.Stored is StoredKind.Bytes or StoredKind.FixedBytes && column.Form is ValueForm.Same or ValueForm.FixedToView: return bytes;
        }
        if (RowGroupPruning.IntegerOf(literal) is not { } whole) return null;
        return column.Stored switch
        {
            StoredKind.Int32 when column.Form is ValueForm.Same or ValueForm.Int32ToInt8 or ValueForm.Int32ToInt16 or ValueForm.Int32ToInt64
                && whole >= int.MinValue && whole <= int.MaxValue => BitConverter.GetBytes((int)whole),
            StoredKind.Int64 when column.Form is ValueForm.Same or ValueForm.Int64ToInt128 && whole >= long.MinValue && whole <= long.MaxValue => BitConverter.GetBytes((long)whole),
            _ => null,
        };
    }
}
