using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dataflow.Serialization;

/// <summary>Elements as they lie in memory: for types without references, without padding, and in which every bit pattern is a value.</summary>
/// <param name="schema">The memory layout.</param>
internal sealed class BlitCodec<T>(Schema schema) : Codec<T>
{
    public override bool IsBlittable => true;

    public override ulong SchemaHash => schema.Hash;

    public override string Schema => schema.Text;

    public override void Write(BlockWriter writer, ReadOnlySpan<T> items) => writer.WriteBytes(BlitMemory.Of(items));

    public override void Read(ref BlockReader reader, Span<T> items)
    {
        var memory = BlitMemory.Of<T>(items);
        reader.ReadBytes(memory.Length).CopyTo(memory);
    }

    internal override void WriteItem(BlockWriter writer, T item) => writer.WriteRaw(item);

    internal override T ReadItem(ref BlockReader reader) => reader.ReadRaw<T>();
}

/// <summary>The memory of elements without references. The type is checked when its codec is built, not by a constraint, so that generic code may ask.</summary>
internal static class BlitMemory
{
    /// <summary>The elements' bytes, in place.</summary>
    public static ReadOnlySpan<byte> Of<T>(ReadOnlySpan<T> items) => MemoryMarshal.CreateReadOnlySpan(
        ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(items)), checked(items.Length * Unsafe.SizeOf<T>()));

    /// <summary>The elements' bytes, in place.</summary>
    public static Span<byte> Of<T>(Span<T> items) => MemoryMarshal.CreateSpan(
        ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(items)), checked(items.Length * Unsafe.SizeOf<T>()));
}
