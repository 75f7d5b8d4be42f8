using Dataflow.Serialization;
using Dataflow.Shared;

namespace Dataflow.Closures;

/// <summary>A graph of objects and code as bytes, and what else reading it takes.</summary>
/// <param name="Bytes">For <see cref="ClosureCodec.Read"/>.</param>
/// <param name="Assemblies">The assemblies that the graph names and that .NET does not bring along.</param>
/// <param name="Broadcasts">The broadcasts whose handles are in it: their values go separately.</param>
internal sealed record ShippedGraph(byte[] Bytes, IReadOnlyList<AssemblyRef> Assemblies, IReadOnlyList<IBroadcastValue> Broadcasts);

/// <summary>
/// Turns the code of a stage into bytes and back: Rdds, lambdas and what they captured; also partitions, and the values of broadcasts.
/// </summary>
/// <remarks>
/// <para>One way: the driver writes, executors read. Nothing that an executor sends is ever read by this, since reading runs whatever code
/// the bytes name.</para>
/// <para>Objects travel by their fields, collections by content. Shared objects stay shared and cycles stay cycles. A captured variable is
/// left out only if no code of its lambda reads it and it either can't travel or takes more than 64 KB, so a mistake of the IL scan would be a
/// null reference, never a wrong number. Static fields don't travel. Long chains of objects are no
    /// deep recursion, and the lineage of a stage is written parents first. What lies behind a shuffle, or behind a checkpoint, stays in the driver.</para>
/// </remarks>
internal static class ClosureCodec
{
    /// <summary>Captured variables that no code reads and that are larger than this stay behind.</summary>
    public const int LargestUnread = 64 << 10;

    private const byte Version = 1;

    /// <summary>Writes an object and all it leads to. Some us for a lambda seen before, some hundred for a new one.</summary>
    /// <param name="root">A <see cref="Tasks.StageBinary"/>, a delegate, a partition, or a value.</param>
    /// <param name="site">The verb or action that needs it, for errors; verbs on the way are known by themselves.</param>
    /// <exception cref="ClosureException">Something can't travel; the message says what, the way to it, and what to do.</exception>
    public static ShippedGraph Write(object? root, CallSite? site = null)
    {
        // A variable left out for one lambda may turn out to be read by the next of the same scope: then all is written again with it.
        var needed = new NeededFields();
        while (true)
        {
            using var output = new BlockWriter();
            output.WriteByte(Version);
            var writer = new GraphWriter(output, needed, site ?? new CallSite("RunJob", null, 0));
            writer.WriteRoot(root);
            if (!needed.HaveGrown) return new ShippedGraph(output.Written.ToArray(), writer.Assemblies, writer.Broadcasts);
            needed.HaveGrown = false;
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote. Runs static constructors of the user's code, and no other code of it but comparers.</summary>
    /// <exception cref="CodeUnavailableException">An assembly, type or method is not there, or not in that build.</exception>
    public static object? Read(ReadOnlySpan<byte> bytes, ReadContext context)
    {
        var reader = new BlockReader(bytes);
        if (reader.ReadByte() is var version && version != Version)
            throw new CorruptDataException($"Code of a stage begins with version {version}; this engine reads version {Version}.");
        return new GraphReader(context).ReadRoot(ref reader);
    }

    /// <summary>As <see cref="Read(ReadOnlySpan{byte}, ReadContext)"/>, for a root of a known type.</summary>
    public static T Read<T>(ReadOnlySpan<byte> bytes, ReadContext context) => (T)Read(bytes, context)!;
}
