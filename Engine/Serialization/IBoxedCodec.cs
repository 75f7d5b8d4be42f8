namespace Dataflow.Serialization;

/// <summary>A <see cref="Codec{T}"/> seen without its type: for members read by reflection and for values behind an open type.</summary>
internal interface IBoxedCodec
{
    /// <summary>The codec's schema hash.</summary>
    ulong SchemaHash { get; }

    /// <summary>What the bytes hold.</summary>
    string Schema { get; }

    /// <summary>Appends one value, which must be of the codec's type.</summary>
    void WriteBoxed(BlockWriter writer, object? item);

    /// <summary>Reads one value; value types are boxed.</summary>
    object? ReadBoxed(ref BlockReader reader);
}
