using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>Takes nodes out of a graph: whoever had links to them gets links chosen among what is left and what those nodes linked to.</summary>
internal static class GraphRepair
{
    /// <summary>Changes the lists of nodes that stay so that none leads to one that goes.</summary>
    /// <returns>The changed graph, of all nodes.</returns>
    /// <param name="position">-1 for nodes that go.</param>
    public static LinkLists ReconnectAround(LinkLists links, int[] position, GraphStore store)
    {
        var point = store.NewPoint();
        store.With(new Repair(links, position, store, point));
        GC.KeepAlive(point);
        return links;
    }

    private readonly struct Repair(LinkLists links, int[] position, GraphStore store, AlignedFloats point) : IKernelUser
    {
        public void Use<T>()
            where T : struct, IGraphKernel<T> => Reconnect(links, position, T.Over(store, point));
    }

    private static void Reconnect<T>(LinkLists links, int[] position, T kernel)
        where T : struct, IGraphKernel<T>
    {
        var walk = new GraphWalk(0);
        var candidates = new HashSet<int>();
        var sorted = new List<(uint, int)>();
        for (var node = 0; node < links.Count; node++)
        {
            if (position[node] < 0) continue;
            for (var level = 0; level <= links.LevelOf(node); level++)
            {
                var list = links.ListOf(node, level);
                candidates.Clear();
                var loses = false;
                foreach (var link in list.Slice(1, list[0]))
                {
                    if (position[link] >= 0)
                    {
                        candidates.Add(link);
                        continue;
                    }
                    loses = true;
                    var beyond = links.ListOf(link, level);
                    foreach (var next in beyond.Slice(1, beyond[0]))
                    {
                        if (next != node && position[next] >= 0) candidates.Add(next);
                    }
                }
                if (!loses) continue;
                kernel.Aim(node);
                sorted.Clear();
                foreach (var candidate in candidates) sorted.Add((kernel.Distance(candidate), candidate));
                sorted.Sort();
                walk.Choose(kernel, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(sorted), links.MostLinks(level));
                list[0] = walk.Chosen.Count;
                for (var i = 0; i < walk.Chosen.Count; i++) list[i + 1] = walk.Chosen[i];
            }
        }
    }
}
