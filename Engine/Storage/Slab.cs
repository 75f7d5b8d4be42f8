using Dataflow.Serialization;

namespace Dataflow.Storage;

/// <summary>Bytes that do not move: the element of Rdds whose partitions are made of memory rather than of objects, such as cached columns.</summary>
/// <remarks>
/// <para>Whoever makes one for an Rdd owns the memory and lends it, like any chunk, until the next call; so does who reads one. A cached Rdd keeps copies in
/// native memory, at multiples of 64 bytes, charged and evicted like all cached blocks, and lends them where they lie. At least 64 bytes behind the end may be
/// read. Read from disk, or from another executor, they lie in pinned arrays.</para>
/// </remarks>
public readonly unsafe struct Slab
{
    /// <summary>Bytes behind the end that may be read.</summary>
    public const int Slack = 64;

    // Keeps the memory if it is an array.
    private readonly byte[]? _array;

    /// <summary>Bytes of somebody else's.</summary>
    /// <param name="pointer">Where they are.</param>
    /// <param name="length">How many there are.</param>
    public Slab(byte* pointer, int length)
    {
        Pointer = pointer;
        Length = length;
    }

    internal Slab(int length)
    {
        _array = GC.AllocateUninitializedArray<byte>(length + Slack + Alignment, pinned: true);
        var start = (byte*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_array, 0);
        Pointer = (byte*)(((nint)start + Alignment - 1) & -Alignment);
        Length = length;
    }

    internal const int Alignment = 64;

    /// <summary>Where the bytes are.</summary>
    public byte* Pointer { get; }

    /// <summary>How many there are.</summary>
    public int Length { get; }

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Span => new(Pointer, Length);
}

/// <summary>Slabs as their lengths and bytes.</summary>
internal sealed class SlabCodec : Codec<Slab>
{
    public override ulong SchemaHash => 0x51ab_0001;

    internal override int MinimumBytes => sizeof(int);

    public override void Write(BlockWriter writer, ReadOnlySpan<Slab> items)
    {
        foreach (var item in items)
        {
            writer.WriteUnmanaged(item.Length);
            writer.WriteBytes(item.Span);
        }
    }

    public override unsafe void Read(ref BlockReader reader, Span<Slab> items)
    {
        foreach (ref var item in items)
        {
            // Taken first: a length that is not there gets no memory.
            var bytes = reader.ReadBytes(reader.ReadUnmanaged<int>());
            item = new Slab(bytes.Length);
            bytes.CopyTo(new Span<byte>(item.Pointer, item.Length));
        }
    }
}
