using System.Runtime.CompilerServices;
using Dataflow.Serialization;

namespace Dataflow;

/// <summary>Gives fresh copies of a seed: a mutable accumulator must not be shared by partitions or keys. Copies by codec.</summary>
internal sealed class SeedCopies<T>
{
    private readonly T _seed;
    private readonly byte[]? _encoded;

    public SeedCopies(T seed)
    {
        _seed = seed;
        if (!RuntimeHelpers.IsReferenceOrContainsReferences<T>() || seed is null or string) return;
        using var writer = new BlockWriter();
        Codec<T>.Default.Write(writer, [seed]);
        _encoded = writer.Written.ToArray();
    }

    public T Next()
    {
        if (_encoded is null) return _seed;
        var reader = new BlockReader(_encoded);
        var copy = new T[1];
        Codec<T>.Default.Read(ref reader, copy);
        return copy[0];
    }
}
