using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dataflow.Serialization;

/// <summary>Reads the elements of many blocks, chunk by chunk: one block is decompressed at a time and never decoded as a whole.</summary>
/// <remarks>
/// Elements whose encoded form is their memory are lent where they lie, without a copy; others are decoded into one array that each chunk
/// uses again. See <see cref="ChunkReader{T}"/> for who owns a chunk until when.
/// </remarks>
/// <param name="blocks">Each holds one or more whole blocks back to back, and is valid until the reader asks for the next.</param>
/// <param name="codec">Null takes <see cref="Codec{T}.Default"/>.</param>
/// <param name="owner">Disposed with the reader; usually what the blocks lie in.</param>
public sealed class EncodedBlockReader<T>(IEnumerable<ReadOnlyMemory<byte>> blocks, Codec<T>? codec = null, IDisposable? owner = null)
    : ChunkReader<T>
{
    private readonly Codec<T> _codec = codec ?? Codec<T>.Default;
    private readonly IEnumerator<ReadOnlyMemory<byte>> _blocks = blocks.GetEnumerator();
    private ReadOnlyMemory<byte> _rest;
    private ReadOnlyMemory<byte> _raw;
    private byte[]? _decompressed;
    private T[]? _items;
    private BlockReader.State _state;
    private int _left;
    private bool _disposed;

    /// <inheritdoc/>
    /// <exception cref="CorruptDataException">A block is cut short or was changed.</exception>
    /// <exception cref="CodecException">A block holds elements of another type.</exception>
    public override bool TryRead(out ReadOnlySpan<T> chunk)
    {
        while (_left == 0)
        {
            if (!NextBlock())
            {
                chunk = default;
                return false;
            }
        }

        chunk = _codec.IsBlittable && !RuntimeHelpers.IsReferenceOrContainsReferences<T>() ? LendAll() : Decode(Math.Min(_left, DefaultLength));
        return true;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_disposed) return;
        _disposed = true;
        _left = 0;
        _rest = default;
        _raw = default;
        ReturnDecompressed();
        _blocks.Dispose();
        owner?.Dispose();
    }

    private bool NextBlock()
    {
        ReturnDecompressed();
        _raw = default;
        while (_rest.IsEmpty)
        {
            if (_disposed || !_blocks.MoveNext())
                return false;
            _rest = _blocks.Current;
        }

        var header = EncodedBlock.Verify(_rest.Span);
        BlockEncoder.Require(header, _codec);
        _raw = _rest.Slice(EncodedBlock.HeaderLength, header.StoredLength);
        _rest = _rest[header.Length..];
        if (header.CompressionId != 0)
        {
            _decompressed = BlockEncoder.Decompress(_raw.Span, header);
            _raw = _decompressed.AsMemory(0, header.RawLength);
        }
        _state = default;
        _left = header.Count;
        if (_left == 0) BlockEncoder.RequireEnd(_raw.Length, _raw.Length);
        return true;
    }

    private ReadOnlySpan<T> LendAll()
    {
        var raw = _raw.Span;
        var count = _left;
        BlockEncoder.RequireEnd(raw.Length - count * Unsafe.SizeOf<T>(), raw.Length);
        _left = 0;
        return MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetReference(raw)), count);
    }

    private ReadOnlySpan<T> Decode(int count)
    {
        _items ??= new T[DefaultLength];
        var items = _items.AsSpan(0, count);
        var reader = new BlockReader(_raw.Span, _state);
        _codec.Read(ref reader, items);
        _state = reader.Saved;
        _left -= count;
        if (_left == 0) BlockEncoder.RequireEnd(reader.Remaining, _raw.Length);
        return items;
    }

    private void ReturnDecompressed()
    {
        if (_decompressed is null) return;
        ArrayPool<byte>.Shared.Return(_decompressed);
        _decompressed = null;
    }
}
