using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>Distances of nodes of a graph from one point, as unsigned numbers that grow with them. A struct, so that loops over it become code of their own.</summary>
/// <typeparam name="TSelf">The struct.</typeparam>
internal interface IGraphKernel<TSelf>
    where TSelf : struct, IGraphKernel<TSelf>
{
    /// <summary>A kernel over the rows of a store.</summary>
    /// <param name="point">Where its point lies.</param>
    static abstract TSelf Over(GraphStore store, AlignedFloats point);

    /// <summary>Makes a node the point.</summary>
    void Aim(int node);

    /// <summary>How far a node is from the point.</summary>
    uint Distance(int node);

    /// <summary>The distance of equal points; of inner products, where there is none, one that does not occur.</summary>
    uint NoDistance { get; }

    /// <summary>Asks for a node's values before they are needed.</summary>
    void Prefetch(int node);
}

/// <summary>What is done with the kernel of a store, whichever it has.</summary>
internal interface IKernelUser
{
    void Use<T>()
        where T : struct, IGraphKernel<T>;
}
