using System.Runtime.CompilerServices;

namespace Dataflow.Serialization;

/// <summary>Copies single elements by their codec, for whoever is about to hand one to code that may change it.</summary>
/// <typeparam name="T">The element type.</typeparam>
internal static class ElementCopy<T>
{
    private static readonly bool Copies = RuntimeHelpers.IsReferenceOrContainsReferences<T>() && typeof(T) != typeof(string)
        && CodecSet.Shared.CanEncode(typeof(T), out _);

    /// <summary>An element equal to this one that shares no object with it; the element itself where the type is plain data, or has no codec.</summary>
    public static T Of(T item)
    {
        if (!Copies || item is null) return item;
        using var writer = new BlockWriter(capacity: 256);
        Codec<T>.Default.Write(writer, new ReadOnlySpan<T>(in item));
        var reader = new BlockReader(writer.Written);
        var copy = new T[1];
        Codec<T>.Default.Read(ref reader, copy);
        return copy[0];
    }
}
