using System.Buffers;
using System.Runtime.InteropServices;
using Dataflow.Compression;

namespace Dataflow.Serialization;

/// <summary>Elements to <see cref="EncodedBlock"/>s and back: framed, checked, and compressed where that saves at least a tenth.</summary>
/// <remarks>Blocks of 64 KB to 1 MB raw bytes work best: large enough to compress, small enough to hold several in the processor's
/// cache.</remarks>
public static class BlockEncoder
{
    /// <summary>Appends one block that holds these elements.</summary>
    /// <param name="items">The elements; may be none.</param>
    /// <param name="destination">What it holds stays; other blocks may stand before this one.</param>
    /// <param name="compression">Null stores the bytes as they are.</param>
    /// <param name="codec">Null takes <see cref="Codec{T}.Default"/>.</param>
    /// <returns>The block's header.</returns>
    /// <exception cref="CodecException">An element can't be encoded. The destination is then as it was before the call.</exception>
    public static EncodedBlock Write<T>(
        ReadOnlySpan<T> items, BlockWriter destination, ICompressionCodec? compression = null, Codec<T>? codec = null)
    {
        ArgumentNullException.ThrowIfNull(destination);
        codec ??= Codec<T>.Default;
        var start = destination.Length;
        try
        {
            // Encoded in place behind room for the header: a block stored raw is never copied.
            Reserve(destination);
            destination.BeginRun();
            codec.Write(destination, items);
            var rawLength = destination.Length - start - EncodedBlock.HeaderLength;
            var storedLength = compression is null or { Id: 0 } ? rawLength : Compress(destination, start, rawLength, compression);
            destination.Truncate(start + EncodedBlock.HeaderLength + storedLength);
            var compressionId = storedLength == rawLength ? (byte)0 : compression!.Id;
            var block = new EncodedBlock(codec.SchemaHash, compressionId, items.Length, rawLength, storedLength);
            block.WriteTo(destination.At(start, block.Length));
            return block;
        }
        catch
        {
            destination.Truncate(start);
            throw;
        }
        finally
        {
            destination.BeginRun();
        }
    }

    /// <summary>Appends one block around bytes that were encoded before: rows gathered in a writer of their own, chunk by chunk.</summary>
    /// <param name="payload">All that one writer took since its reset.</param>
    /// <param name="count">Elements in it; each takes a byte at least.</param>
    /// <param name="schemaHash"><see cref="Codec{T}.SchemaHash"/> of the codec that wrote it.</param>
    /// <param name="destination">Another writer than the one that <paramref name="payload"/> lies in.</param>
    /// <param name="compression">Null stores the bytes as they are.</param>
    /// <returns>The block's header.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative or larger than the payload has bytes.</exception>
    public static EncodedBlock Frame(
        ReadOnlySpan<byte> payload, int count, ulong schemaHash, BlockWriter destination, ICompressionCodec? compression = null)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, payload.Length);
        var start = destination.Length;
        Reserve(destination);

        var storedLength = payload.Length;
        if (compression is not (null or { Id: 0 })
            && compression.TryCompress(payload, destination.GetSpan(compression.MaxCompressedLength(payload.Length)), out var compressed))
        {
            destination.Advance(compressed);
            storedLength = compressed;
        }
        else
        {
            destination.WriteBytes(payload);
        }

        var compressionId = storedLength == payload.Length ? (byte)0 : compression!.Id;
        var block = new EncodedBlock(schemaHash, compressionId, count, payload.Length, storedLength);
        block.WriteTo(destination.At(start, block.Length));
        return block;
    }

    /// <summary>Reads the elements of one block.</summary>
    /// <param name="block">Begins with the block; what follows it is not looked at.</param>
    /// <param name="codec">Null takes <see cref="Codec{T}.Default"/>.</param>
    /// <exception cref="CorruptDataException">The block is cut short or was changed.</exception>
    /// <exception cref="CodecException">The block holds elements of another type; the message names both.</exception>
    /// <exception cref="CompressionUnavailableException">It is compressed by a library that this machine does not have.</exception>
    public static T[] Read<T>(ReadOnlySpan<byte> block, Codec<T>? codec = null)
    {
        codec ??= Codec<T>.Default;
        var header = EncodedBlock.Verify(block);
        Require(header, codec);
        var stored = block.Slice(EncodedBlock.HeaderLength, header.StoredLength);
        if (header.CompressionId == 0)
            return ReadAll(stored, header.Count, codec);

        var raw = Decompress(stored, header);
        try
        {
            return ReadAll(raw.AsSpan(0, header.RawLength), header.Count, codec);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(raw);
        }
    }

    /// <summary>Refuses a block that another codec wrote.</summary>
    internal static void Require<T>(EncodedBlock header, Codec<T> codec)
    {
        if (header.SchemaHash != codec.SchemaHash)
            throw new CodecException(
                $"The block holds {Schema.Describe(header.SchemaHash)}, and is read as {codec.Schema} (schema {codec.SchemaHash:x16}); "
                + "next: read it with the type it was written with, or write it anew if that type has changed since.");
        if (header.Count > header.RawLength / codec.MinimumBytes)
            throw new CorruptDataException("block", 16, $"{header.RawLength} bytes can't hold {header.Count} elements of {codec.Schema}");
    }

    /// <summary>The raw bytes of a block in an array of the shared pool, which the caller gives back.</summary>
    internal static byte[] Decompress(ReadOnlySpan<byte> stored, EncodedBlock header)
    {
        var compression = CompressionCodecs.ById(header.CompressionId);
        var raw = ArrayPool<byte>.Shared.Rent(header.RawLength);
        try
        {
            compression.DecompressExactly(stored, raw.AsSpan(0, header.RawLength));
            return raw;
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(raw);
            throw;
        }
    }

    private static T[] ReadAll<T>(ReadOnlySpan<byte> raw, int count, Codec<T> codec)
    {
        var items = count == 0 ? [] : GC.AllocateUninitializedArray<T>(count);
        var reader = new BlockReader(raw);
        codec.Read(ref reader, items);
        RequireEnd(reader.Remaining, raw.Length);
        return items;
    }

    /// <summary>A codec that reads less than it wrote, or a header that says fewer elements than there are.</summary>
    internal static void RequireEnd(int remaining, int length)
    {
        if (remaining != 0)
            throw new CorruptDataException("block", length - remaining, $"{remaining} bytes are left over behind its last element");
    }

    private static void Reserve(BlockWriter destination)
    {
        destination.GetSpan(EncodedBlock.HeaderLength);
        destination.Advance(EncodedBlock.HeaderLength);
    }

    // Behind the raw bytes, then moved over them. Gives the raw length when less than a tenth would be saved.
    private static int Compress(BlockWriter destination, int start, int rawLength, ICompressionCodec compression)
    {
        var room = destination.GetSpan(compression.MaxCompressedLength(rawLength));
        var raw = destination.At(start + EncodedBlock.HeaderLength, rawLength);
        if (!compression.TryCompress(raw, room, out var length))
            return rawLength;
        room[..length].CopyTo(raw);
        return length;
    }
}
