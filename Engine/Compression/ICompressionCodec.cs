namespace Dataflow.Compression;

/// <summary>Compresses and decompresses whole blocks of bytes between buffers of the caller.</summary>
/// <remarks>A block carries neither its own length nor a checksum: whoever frames it keeps <see cref="Id"/>, both lengths and a
/// <see cref="Crc32C"/>. Codecs hold no state between calls and may be called from many threads at once. The two buffers of a call
/// must not overlap. Get one from <see cref="CompressionCodecs"/>.</remarks>
public interface ICompressionCodec
{
    /// <summary>The number that stands for this codec in block headers; never reused.</summary>
    byte Id { get; }

    /// <summary>The name that stands for it in settings, such as <c>lz4</c>.</summary>
    string Name { get; }

    /// <summary>The most bytes that <see cref="Compress"/> makes of <paramref name="length"/> bytes.</summary>
    /// <param name="length">Bytes before compression.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is negative, or so large that the bound passes 2 GB.</exception>
    int MaxCompressedLength(int length);

    /// <summary>Compresses <paramref name="source"/> to the front of <paramref name="destination"/>.</summary>
    /// <returns>Bytes written; an empty source makes some too, but with <c>none</c>. Bytes of <paramref name="destination"/> past them may have been overwritten.</returns>
    /// <param name="source">The bytes; may be empty.</param>
    /// <param name="destination">At least <see cref="MaxCompressedLength"/> of the source's length.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than that.</exception>
    int Compress(ReadOnlySpan<byte> source, Span<byte> destination);

    /// <summary>Decompresses one block to the front of <paramref name="destination"/>.</summary>
    /// <remarks>Safe for any source: it never reads or writes outside the two buffers and allocates no more than a fixed amount.</remarks>
    /// <returns>Bytes written. Bytes of <paramref name="destination"/> past them may have been overwritten.</returns>
    /// <param name="source">Exactly one block.</param>
    /// <param name="destination">At least the block's raw length; a few dozen bytes more may make it faster.</param>
    /// <exception cref="CorruptDataException">The source is no whole block, or makes more than <paramref name="destination"/> holds.</exception>
    int Decompress(ReadOnlySpan<byte> source, Span<byte> destination);

    /// <summary>Compresses if that is worth it: false when less than a tenth is saved, and the block is better kept as it is.</summary>
    /// <param name="source">The bytes.</param>
    /// <param name="destination">At least <see cref="MaxCompressedLength"/> of the source's length; its content is undefined when false.</param>
    /// <param name="written">Bytes written; 0 when false.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    bool TryCompress(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        written = source.IsEmpty ? 0 : Compress(source, destination);
        if (written != 0 && written * 10L <= source.Length * 9L)
            return true;

        written = 0;
        return false;
    }

    /// <summary>Decompresses a block that must fill <paramref name="destination"/> to the last byte.</summary>
    /// <param name="source">Exactly one block.</param>
    /// <param name="destination">As long as the block's header says that its raw bytes are.</param>
    /// <exception cref="CorruptDataException">The source is no whole block, or its raw length is another.</exception>
    void DecompressExactly(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var written = Decompress(source, destination);
        if (written != destination.Length)
            throw new CorruptDataException(Name, source.Length, $"the block ends after {written:N0} of the {destination.Length:N0} raw bytes that it should hold");
    }

    /// <summary>The check of <see cref="Compress"/>'s destination, in one place so that all codecs say the same.</summary>
    internal static void RequireRoom(ICompressionCodec codec, int sourceLength, int destinationLength)
    {
        var needed = codec.MaxCompressedLength(sourceLength);
        if (destinationLength < needed)
        {
            throw new ArgumentException(
                $"Compressing {sourceLength:N0} bytes with {codec.Name} needs a destination of {needed:N0} bytes, its MaxCompressedLength, but this one has {destinationLength:N0}.",
                "destination");
        }
    }
}
