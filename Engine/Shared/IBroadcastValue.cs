using Dataflow.Closures;

namespace Dataflow.Shared;

/// <summary>A broadcast, whatever the type of its value.</summary>
internal interface IBroadcastValue
{
    long Id { get; }

    /// <summary>The value as <see cref="BroadcastCodec.Read"/> takes it. On the driver; costs the encoding each time.</summary>
    /// <exception cref="ClosureException">The value can't travel.</exception>
    ShippedGraph Encode();
}
