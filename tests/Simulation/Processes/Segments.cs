using Dataflow.Cluster;
using Dataflow.Compression;
using Dataflow.Shuffle;
using Dataflow.Storage;

namespace Dataflow.Simulation;

/// <summary>Pieces of a served block, as they arrive.</summary>
internal static class Segments
{
    public static Segment Read(in BlockPiece piece, NativePool pool)
    {
        var buffer = pool.Rent(piece.RawLength);
        if (piece.Compression == CompressionCodecs.None.Id)
            piece.Stored.Span.CopyTo(buffer.Span);
        else
            CompressionCodecs.ById(piece.Compression).DecompressExactly(piece.Stored.Span, buffer.Span[..piece.RawLength]);
        return new Segment(piece.Tag, piece.Rows, new NativeBody(buffer, piece.RawLength));
    }
}
