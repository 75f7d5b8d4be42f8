namespace Dataflow.Compression;

/// <summary>Id 1, <c>lz4</c>: the LZ4 block format, all managed. The default where bytes go to disk or to another host.</summary>
/// <remarks>Parquet calls this LZ4_RAW. Files use the frame format instead: <see cref="CompressedStreams"/>.</remarks>
internal sealed class Lz4Codec : ICompressionCodec
{
    public byte Id => 1;

    public string Name => "lz4";

    public int MaxCompressedLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Lz4Encoder.MaxLength);
        return Lz4Encoder.MaxEncodedLength(length);
    }

    public int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ICompressionCodec.RequireRoom(this, source.Length, destination.Length);
        return Lz4Encoder.Encode(source, destination);
    }

    public int Decompress(ReadOnlySpan<byte> source, Span<byte> destination) => Lz4Decoder.Decode(source, destination, start: 0);
}
