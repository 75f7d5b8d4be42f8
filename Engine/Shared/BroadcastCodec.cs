using Dataflow.Closures;
using Dataflow.Serialization;

namespace Dataflow.Shared;

/// <summary>The values of broadcasts as bytes: data by the codec of its type, which is fast; all else as a graph of objects.</summary>
internal static class BroadcastCodec
{
    private const byte Data = 0, Graph = 1;

    public static ShippedGraph Write<T>(T value, CallSite site)
    {
        if (value is not null && value.GetType() == typeof(T) && CodecRegistry.CanEncode(typeof(T), out _))
        {
            using var block = new BlockWriter();
            block.WriteByte(Data);
            try
            {
                Codec<T>.Default.Write(block, [value]);
                return new ShippedGraph(block.Written.ToArray(), [], []);
            }
            catch (CodecException)
            {
                // It refers to itself, or holds an object of a class the codec has not heard of: as a graph it can travel.
            }
        }
        var graph = ClosureCodec.Write(value, site);
        return graph with { Bytes = [Graph, .. graph.Bytes] };
    }

    public static T Read<T>(ReadOnlySpan<byte> bytes, ReadContext context)
    {
        if (bytes[0] == Graph) return ClosureCodec.Read<T>(bytes[1..], context);
        var reader = new BlockReader(bytes[1..]);
        var value = new T[1];
        Codec<T>.Default.Read(ref reader, value);
        return value[0];
    }
}
