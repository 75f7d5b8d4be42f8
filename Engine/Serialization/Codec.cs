using System.Runtime.InteropServices;

namespace Dataflow.Serialization;

/// <summary>
/// Turns elements of one type into bytes and back. Every shuffle, spill, serialised cache and object file goes through one.
/// </summary>
/// <remarks>
/// <para>A codec has no state and may be used by many threads at once. Numbers are little-endian. An element takes at least one byte;
/// readers rely on that to refuse a corrupt length before memory is given for it.</para>
/// <para>Equal elements give equal bytes (padding is never written), except that collections keep the order in which they enumerate.</para>
/// </remarks>
/// <typeparam name="T">The element type.</typeparam>
public abstract class Codec<T> : IBoxedCodec
{
    private static Codec<T>? _default;

    /// <summary>The codec of <typeparamref name="T"/>: the registered one, or one compiled for the type. Built once, then kept.</summary>
    /// <remarks>The first call costs a few milliseconds for a composite type, later ones a field read.</remarks>
    /// <exception cref="CodecException">The type can't be encoded; the message names the member by its path.</exception>
    public static Codec<T> Default => _default ?? (_default = CodecSet.Shared.For<T>());

    /// <summary>Whether the encoded form is the memory of the elements themselves, so that reading is one copy.</summary>
    public virtual bool IsBlittable => false;

    /// <summary>A hash of <see cref="Schema"/>, the same in every process. It stands in each block's header.</summary>
    public abstract ulong SchemaHash { get; }

    /// <summary>
    /// What the bytes hold, for people: <c>Visit{Id:int, Url:string}</c>. Codecs that differ here can't read each other's bytes.
    /// </summary>
    public virtual string Schema => TypeNames.Of(typeof(T));

    /// <summary>Whether values that were made in the same way have the same bytes in every process. Not where a collection may be inside that orders its
    /// elements by hash codes, which differ from process to process, nor where a registered codec decides.</summary>
    internal virtual bool IsRepeatable => false;

    /// <summary>Fewest bytes an element takes.</summary>
    internal virtual int MinimumBytes => 1;

    /// <summary>Appends the elements.</summary>
    /// <param name="writer">Takes the bytes; its capacity grows as needed.</param>
    /// <param name="items">The elements. How many there are is not written: whoever frames the bytes keeps the count.</param>
    /// <exception cref="CodecException">A value can't be encoded: it refers to itself, holds a custom comparer, or an unknown subtype.
    /// What was written before it stays in the writer, which must be reset.</exception>
    public abstract void Write(BlockWriter writer, ReadOnlySpan<T> items);

    /// <summary>Reads as many elements as <paramref name="items"/> holds.</summary>
    /// <param name="reader">Stands where <see cref="Write"/> began; left just behind the last element.</param>
    /// <param name="items">Receives the elements.</param>
    /// <exception cref="CorruptDataException">The bytes end too early or can't be a <typeparamref name="T"/>.</exception>
    public abstract void Read(ref BlockReader reader, Span<T> items);

    // The four below are for codecs that hold others. They skip what only the outermost codec of a block does: see ShapedCodec.
    internal virtual void WriteItems(BlockWriter writer, ReadOnlySpan<T> items) => Write(writer, items);

    internal virtual void ReadItems(ref BlockReader reader, Span<T> items) => Read(ref reader, items);

    internal virtual void WriteItem(BlockWriter writer, T item) => Write(writer, new ReadOnlySpan<T>(in item));

    internal virtual T ReadItem(ref BlockReader reader)
    {
        var item = default(T)!;
        Read(ref reader, MemoryMarshal.CreateSpan(ref item, 1));
        return item;
    }

    void IBoxedCodec.WriteBoxed(BlockWriter writer, object? item) => WriteItem(writer, (T)item!);

    object? IBoxedCodec.ReadBoxed(ref BlockReader reader) => ReadItem(ref reader);
}

/// <summary>A codec made from a shape: knows its schema, and which types its open members may hold.</summary>
internal abstract class ShapedCodec<T>(TypeShape shape) : Codec<T>
{
    public sealed override ulong SchemaHash => shape.Schema.Hash;

    public sealed override string Schema => shape.Schema.Text;

    internal sealed override bool IsRepeatable => shape.IsRepeatable;

    protected TypeShape Shape => shape;

    public sealed override void Write(BlockWriter writer, ReadOnlySpan<T> items)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (!shape.HoldsOpen)
        {
            WriteItems(writer, items);
            return;
        }
        var outer = writer.Enter(shape);
        WriteItems(writer, items);
        writer.Scope = outer;
    }

    public sealed override void Read(ref BlockReader reader, Span<T> items)
    {
        if (!shape.HoldsOpen)
        {
            ReadItems(ref reader, items);
            return;
        }
        var outer = reader.Enter(shape);
        ReadItems(ref reader, items);
        reader.Scope = outer;
    }

    internal override void WriteItems(BlockWriter writer, ReadOnlySpan<T> items)
    {
        foreach (var item in items) WriteItem(writer, item);
    }

    internal override void ReadItems(ref BlockReader reader, Span<T> items)
    {
        for (var i = 0; i < items.Length; i++) items[i] = ReadItem(ref reader);
    }

    internal abstract override void WriteItem(BlockWriter writer, T item);

    internal abstract override T ReadItem(ref BlockReader reader);
}
