using System.Buffers.Binary;
using Dataflow.Compression;
using Dataflow.Errors;

namespace Dataflow.Cluster;

/// <summary>A value as pieces that travel: each 4 MB before compression. A piece is its length (4, little-endian), whether it is compressed by LZ4 (1), and the bytes.</summary>
internal static class BroadcastPieces
{
    public const int PieceBytes = 4 << 20;

    private const int HeaderBytes = 5;

    /// <summary>Cuts a value. Pieces are compressed where that saves a tenth.</summary>
    public static byte[][] Cut(ReadOnlySpan<byte> value)
    {
        var pieces = new byte[Math.Max(1, (value.Length + PieceBytes - 1) / PieceBytes)][];
        var buffer = new byte[HeaderBytes + Lz4Encoder.MaxEncodedLength(Math.Min(PieceBytes, value.Length))];
        for (var i = 0; i < pieces.Length; i++)
        {
            var raw = value.Slice(i * PieceBytes, Math.Min(PieceBytes, value.Length - (i * PieceBytes)));
            var length = Lz4Encoder.Encode(raw, buffer.AsSpan(HeaderBytes));
            var pays = length < raw.Length - (raw.Length / 10);
            var piece = new byte[HeaderBytes + (pays ? length : raw.Length)];
            BinaryPrimitives.WriteInt32LittleEndian(piece, raw.Length);
            piece[4] = pays ? (byte)1 : (byte)0;
            (pays ? buffer.AsSpan(HeaderBytes, length) : raw).CopyTo(piece.AsSpan(HeaderBytes));
            pieces[i] = piece;
        }
        return pieces;
    }

    /// <summary>Puts a value together.</summary>
    /// <exception cref="CorruptDataException">A piece is none.</exception>
    public static byte[] Join(IReadOnlyList<byte[]> pieces)
    {
        var length = 0L;
        foreach (var piece in pieces)
        {
            var raw = piece.Length < HeaderBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(piece);
            if (raw is < 0 or > PieceBytes) throw new CorruptDataException($"A piece of a broadcast value of {piece.Length:N0} bytes announces {raw:N0}.");
            length += raw;
        }
        var value = new byte[length];
        var start = 0;
        foreach (var piece in pieces)
        {
            var into = value.AsSpan(start, BinaryPrimitives.ReadInt32LittleEndian(piece));
            if (piece[4] == 0)
                piece.AsSpan(HeaderBytes).CopyTo(into);
            else if (Lz4Decoder.Decode(piece.AsSpan(HeaderBytes), into, start: 0) != into.Length)
                throw new CorruptDataException("A piece of a broadcast value is shorter than it announces.");
            start += into.Length;
        }
        return value;
    }
}
