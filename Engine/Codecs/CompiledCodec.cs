using System.Runtime.InteropServices;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>Classes and structs through code made for them: one loop over the elements, members of plain types written in place.</summary>
/// <remarks>Compiling takes a millisecond or two, once for each type.</remarks>
internal sealed class CompiledCodec<T> : ShapedCodec<T>
{
    private readonly WriteMany _write;
    private readonly ReadMany _read;

    /// <summary>Compiles both directions.</summary>
    /// <param name="shape">A class or struct.</param>
    /// <param name="partOf">Gives the codec of a part that is not written in place; it may still be in the making.</param>
    public CompiledCodec(TypeShape shape, Func<TypeShape, CodecRef> partOf)
        : base(shape)
    {
        _write = new WriterEmitter(shape, partOf).Compile<WriteMany>();
        _read = new ReaderEmitter(shape, partOf).Compile<ReadMany>();
    }

    private delegate void WriteMany(BlockWriter writer, ref T first, int count);

    private delegate void ReadMany(ref BlockReader reader, ref T first, int count);

    internal override void WriteItems(BlockWriter writer, ReadOnlySpan<T> items) =>
        _write(writer, ref MemoryMarshal.GetReference(items), items.Length);

    internal override void ReadItems(ref BlockReader reader, Span<T> items) =>
        _read(ref reader, ref MemoryMarshal.GetReference(items), items.Length);

    internal override void WriteItem(BlockWriter writer, T item) => _write(writer, ref item, 1);

    internal override T ReadItem(ref BlockReader reader)
    {
        var item = default(T)!;
        _read(ref reader, ref item, 1);
        return item;
    }
}
