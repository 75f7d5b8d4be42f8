using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Dataflow.Fusion;

/// <summary>What plain and fused expansions have in common.</summary>
internal static class Expansion
{
    private const int MostBytes = 64 << 10;

    /// <summary>Length of an output chunk of an expansion: the usual one, or fewer elements where they are large.</summary>
    public static int ChunkLength<T>() => Math.Clamp(MostBytes / Unsafe.SizeOf<T>(), 16, ChunkReader<T>.DefaultLength);

    /// <summary>Starts to iterate over what a lambda gave.</summary>
    public static IEnumerator<T> Open<T>(IEnumerable<T> items, Rdd rdd) =>
        items.GetEnumerator() ?? throw new InvalidOperationException($"GetEnumerator of what the lambda of {rdd} returned gave null.");

    /// <summary>A lambda gave null where it must give a sequence.</summary>
    [DoesNotReturn]
    public static void ThrowNull(Rdd rdd) => throw new InvalidOperationException(
        $"The lambda of {rdd} returned null in place of a sequence. Return an empty array where an element has nothing to give.");
}
