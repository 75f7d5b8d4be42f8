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

/// <summary>A place for a codec that may not be made yet: types that refer to themselves need their own codec to make it.</summary>
internal abstract class CodecRef
{
    /// <summary>The codec, once made.</summary>
    public abstract IBoxedCodec Boxed { get; }

    /// <summary>Fills the place.</summary>
    public abstract void Set(object codec);

    /// <summary>An empty place for the codec of a type.</summary>
    public static CodecRef For(Type type) => (CodecRef)Activator.CreateInstance(typeof(CodecRef<>).MakeGenericType(type))!;
}

/// <inheritdoc/>
internal sealed class CodecRef<T> : CodecRef
{
    /// <summary>The codec; null only while it is being made.</summary>
    public Codec<T> Codec = null!;

    public override IBoxedCodec Boxed => Codec;

    public override void Set(object codec) => Codec = (Codec<T>)codec;
}
