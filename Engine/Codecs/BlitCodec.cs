using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>
/// Elements as they lie in memory: for types without references, without padding, and in which every bit pattern is a value.
/// </summary>
internal sealed class BlitCodec<T>(TypeShape shape) : ShapedCodec<T>(shape)
{
    public override bool IsBlittable => true;

    internal override int MinimumBytes => Unsafe.SizeOf<T>();

    internal override void WriteItems(BlockWriter writer, ReadOnlySpan<T> items) => writer.WriteBytes(BlitMemory.Of(items));

    internal override void ReadItems(ref BlockReader reader, Span<T> items)
    {
        var memory = BlitMemory.Of(items);
        reader.ReadBytes(memory.Length).CopyTo(memory);
    }

    internal override void WriteItem(BlockWriter writer, T item) => writer.WriteRaw(item);

    internal override T ReadItem(ref BlockReader reader) => reader.ReadRaw<T>();
}

/// <summary>The memory of structs whose fields are laid out by hand and leave gaps: the gaps are written as zero.</summary>
internal sealed class MaskedCodec<T>(TypeShape shape) : ShapedCodec<T>(shape)
{
    private readonly bool[] _covered = shape.Layout!.Covered;

    internal override int MinimumBytes => Unsafe.SizeOf<T>();

    internal override void WriteItem(BlockWriter writer, T item)
    {
        var bytes = BlitMemory.Of(MemoryMarshal.CreateSpan(ref item, 1));
        for (var i = 0; i < bytes.Length; i++)
            if (!_covered[i]) bytes[i] = 0;
        writer.WriteBytes(bytes);
    }

    internal override T ReadItem(ref BlockReader reader) => reader.ReadRaw<T>();
}

/// <summary>
/// The memory of elements without references. The type is checked when its codec is built, not by a constraint, so that generic code may
/// ask.
/// </summary>
internal static class BlitMemory
{
    /// <summary>The elements' bytes, in place.</summary>
    public static ReadOnlySpan<byte> Of<T>(ReadOnlySpan<T> items) => MemoryMarshal.CreateReadOnlySpan(
        ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(items)), checked(items.Length * Unsafe.SizeOf<T>()));

    /// <summary>The elements' bytes, in place.</summary>
    public static Span<byte> Of<T>(Span<T> items) => MemoryMarshal.CreateSpan(
        ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(items)), checked(items.Length * Unsafe.SizeOf<T>()));
}
