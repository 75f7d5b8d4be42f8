using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>What one thread needs to walk a graph, and the walk: algorithm 2 of Malkov and Yashunin 2018.</summary>
internal sealed unsafe class GraphWalk(int nodes)
{
    private readonly byte[] _visited = new byte[nodes];
    private readonly int[] _fresh = new int[1024];
    private byte _stamp;

    public CandidatePool Pool { get; } = new();

    public List<int> Chosen { get; } = [];

    /// <summary>The nearest nodes to the kernel's point on a level, into <see cref="Pool"/>.</summary>
    /// <param name="entry">Where the walk begins.</param>
    /// <param name="breadth">How many nodes are kept.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Search<T>(T kernel, LinkLists links, int level, int entry, int breadth)
        where T : struct, IGraphKernel<T>
    {
        if (++_stamp == 0)
        {
            Array.Clear(_visited);
            _stamp = 1;
        }
        var stamp = _stamp;
        Pool.Clear(breadth);
        Pool.Offer(kernel.Distance(entry), entry);
        _visited[entry] = stamp;
        fixed (byte* visited = _visited)
        fixed (int* fresh = _fresh)
        {
            for (var node = Pool.TakeNext(); node >= 0; node = Pool.TakeNext())
            {
                fixed (int* list = links.ListOf(node, level))
                {
                    // What comes next is asked for before anything is computed: a walk waits for memory more than for arithmetic.
                    var found = 0;
                    var count = list[0];
                    for (var i = 1; i <= count; i++)
                    {
                        var next = list[i];
                        if (visited[next] == stamp) continue;
                        visited[next] = stamp;
                        fresh[found++] = next;
                        kernel.Prefetch(next);
                    }
                    for (var i = 0; i < found; i++) Pool.Offer(kernel.Distance(fresh[i]), fresh[i]);
                }
            }
        }
    }

    /// <summary>Goes down from a level to above another, each time to the nearest node.</summary>
    public int Descend<T>(T kernel, LinkLists links, int entry, int from, int to)
        where T : struct, IGraphKernel<T>
    {
        var nearest = kernel.Distance(entry);
        for (var level = from; level > to; level--)
        {
            for (var moved = true; moved;)
            {
                moved = false;
                var list = links.ListOf(entry, level);
                for (var i = 1; i <= list[0]; i++)
                {
                    var distance = kernel.Distance(list[i]);
                    if (distance > nearest || (distance == nearest && list[i] >= entry)) continue;
                    (nearest, entry, moved) = (distance, list[i], true);
                }
            }
        }
        return entry;
    }

    /// <summary>Chooses links among candidates in order of distance: one is taken if it is nearer to the node than to all taken before (algorithm 4 of the paper), which
    /// keeps ways in all directions. Rows equal to the node take half of the links at most, or nothing else would be reached from many equal rows.</summary>
    /// <param name="kernel">Its point is lost.</param>
    public void Choose<T>(T kernel, ReadOnlySpan<(uint Distance, int Node)> candidates, int most)
        where T : struct, IGraphKernel<T>
    {
        Chosen.Clear();
        var equal = 0;
        var nothing = candidates.Length > 0 ? kernel.NoDistance : 0;
        foreach (var (distance, node) in candidates)
        {
            if (Chosen.Count == most) return;
            if (distance == nothing && ++equal > most / 2) continue;
            kernel.Aim(node);
            var isNear = true;
            foreach (var chosen in Chosen)
            {
                if (kernel.Distance(chosen) >= distance) continue;
                isNear = false;
                break;
            }
            if (isNear) Chosen.Add(node);
        }
    }
}
