using System.Buffers.Binary;
using Dataflow.Compression;

namespace Dataflow.Cluster;

/// <summary>Where a server takes the blocks of one scope from. Called from any thread, many at once.</summary>
internal interface IBlockProvider
{
    /// <summary>Opens a block, or null if it is not here. May read from disk.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="near">Whether the reader is on this machine, where compressing costs more time than it saves.</param>
    ServedBlock? Open(BlockName name, bool near);

    /// <summary>Removes what a name stands for; of a shuffle all outputs go, whichever one is named.</summary>
    /// <returns>Whether this server removes blocks of that kind.</returns>
    bool Drop(BlockName name) => false;
}

/// <summary>A block that is being sent: a row of pieces. The memory of a piece is valid until the next call.</summary>
internal abstract class ServedBlock : IDisposable
{
    /// <summary>No piece is longer: larger blocks come in several.</summary>
    public const int MaxPieceBytes = 512 << 20;

    /// <summary>The next piece; false at the end.</summary>
    /// <exception cref="CorruptDataException">It can't be read whole.</exception>
    public abstract bool TryNext(out BlockPiece piece);

    public virtual void Dispose() { }

    /// <summary>A block of bytes that lie in memory.</summary>
    public static ServedBlock Of(ReadOnlyMemory<byte> bytes) => new BytesBlock(bytes);

    private sealed class BytesBlock(ReadOnlyMemory<byte> bytes) : ServedBlock
    {
        // Small enough that both ends work at the same time.
        private const int PieceBytes = 1 << 20;

        private int _next;

        public override bool TryNext(out BlockPiece piece)
        {
            piece = default;
            if (_next == bytes.Length) return false;
            var length = Math.Min(PieceBytes, bytes.Length - _next);
            piece = new BlockPiece(0, 0, 0, length, 0, bytes.Slice(_next, length));
            _next += length;
            return true;
        }
    }
}

/// <summary>One piece of a block. A shuffle's pieces are segments; of others only the bytes matter.</summary>
/// <param name="Part">The reduce partition of a segment.</param>
/// <param name="Tag">The segment's number for its reader.</param>
/// <param name="Rows">Rows of the segment.</param>
/// <param name="RawLength">Bytes before compression.</param>
/// <param name="Compression">Id of the compression; 0 for none.</param>
/// <param name="Stored">The bytes as they travel.</param>
internal readonly record struct BlockPiece(int Part, int Tag, int Rows, int RawLength, byte Compression, ReadOnlyMemory<byte> Stored);

/// <summary>What a frame of the answer to <c>POST /blocks</c> is.</summary>
internal enum BlockFrameKind : byte
{
    /// <summary>A piece of the block.</summary>
    Piece = 1,

    /// <summary>The block is complete.</summary>
    End = 2,

    /// <summary>The block is not here. The bytes say why.</summary>
    Missing = 3,

    /// <summary>The block is here, but damaged. The bytes say how.</summary>
    Corrupt = 4,

    /// <summary>All blocks were answered.</summary>
    Done = 5,
}

/// <summary>
/// What stands before the bytes of a frame. 32 bytes, little-endian: kind (1), compression (1), zero (2), index of the block in the request
/// (4), part (4), tag (4), rows (4), raw length (4), stored length (4), CRC-32C (4) of the header before it and of the stored bytes.
/// </summary>
internal readonly record struct BlockFrame(BlockFrameKind Kind, int Index, int Part, int Tag, int Rows, int RawLength, byte Compression, int StoredLength, uint Checksum)
{
    public const int Length = 32;

    private const int ChecksumAt = 28;

    public static void Write(Span<byte> header, BlockFrameKind kind, int index, in BlockPiece piece)
    {
        header[0] = (byte)kind;
        header[1] = piece.Compression;
        header[2] = header[3] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], index);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], piece.Part);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], piece.Tag);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], piece.Rows);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], piece.RawLength);
        BinaryPrimitives.WriteInt32LittleEndian(header[24..], piece.Stored.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[ChecksumAt..], Crc32C.Append(Crc32C.Of(header[..ChecksumAt]), piece.Stored.Span));
    }

    /// <summary>Reads a header and checks that its numbers make sense.</summary>
    /// <exception cref="CorruptDataException">They do not.</exception>
    public static BlockFrame Read(ReadOnlySpan<byte> header, int blocks)
    {
        var frame = new BlockFrame(
            (BlockFrameKind)header[0],
            BinaryPrimitives.ReadInt32LittleEndian(header[4..]),
            BinaryPrimitives.ReadInt32LittleEndian(header[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(header[12..]),
            BinaryPrimitives.ReadInt32LittleEndian(header[16..]),
            BinaryPrimitives.ReadInt32LittleEndian(header[20..]),
            header[1],
            BinaryPrimitives.ReadInt32LittleEndian(header[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(header[ChecksumAt..]));
        if (frame.Kind is < BlockFrameKind.Piece or > BlockFrameKind.Done || header[2] != 0 || header[3] != 0
            || frame.Index < 0 || frame.Index > blocks || frame.Part < 0 || frame.Rows < 0
            || frame.StoredLength is < 0 or > ServedBlock.MaxPieceBytes || frame.RawLength is < 0 or > ServedBlock.MaxPieceBytes
            || (frame.Compression == 0 && frame.RawLength != frame.StoredLength)
            || (frame.Compression != 0 && frame.Kind != BlockFrameKind.Piece))
            throw new CorruptDataException($"A frame of blocks has a header that makes no sense: {frame}.");
        return frame;
    }

    /// <summary>Whether header and bytes are as they were sent.</summary>
    public bool Matches(ReadOnlySpan<byte> header, ReadOnlySpan<byte> stored) => Crc32C.Append(Crc32C.Of(header[..ChecksumAt]), stored) == Checksum;
}
