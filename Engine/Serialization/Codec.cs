using System.Runtime.InteropServices;

namespace Dataflow.Serialization;

/// <summary>Turns elements of one type into bytes and back. Every shuffle, spill, serialised cache and object file goes through one.</summary>
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

    /// <summary>What the bytes hold, for people: <c>Visit{Id:int, Url:string}</c>. Two codecs that differ here can't read each other's bytes.</summary>
    public virtual string Schema => TypeNames.Of(typeof(T));

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

    // One element at a time, for members and for elements behind a reference. Our own codecs override both.
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
