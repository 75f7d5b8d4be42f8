using Dataflow.MLlib.NeighborKernels;
using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>
/// Puts nodes into a graph: algorithm 1 of Malkov and Yashunin 2018, in rounds. The nodes of a round look for their neighbours in the graph as the round found it, and among each
/// other by comparing all; then links are made in order of the nodes. So the graph does not depend on the number of threads.
/// </summary>
/// <remarks>Lists may grow a little beyond their size before they are chosen anew, which makes that rarer; at the end they are cut to size.</remarks>
internal sealed class GraphBuilder<T>(LinkLists links, int efConstruction, int threads, Func<T> newKernel)
    where T : struct, IGraphKernel<T>
{
    private const int MostOfRound = 256;
    private readonly Worker[] _workers = [.. Enumerable.Range(0, threads).Select(_ => new Worker(links.Count, newKernel()))];

    /// <summary>Where walks begin; -1 in an empty graph.</summary>
    public int Entry { get; set; } = -1;

    private int TopLevel => Entry < 0 ? -1 : links.LevelOf(Entry);

    /// <summary>Puts nodes in, in the order of a hash of their ids.</summary>
    /// <param name="nodes">Nodes that are not in it.</param>
    /// <param name="there">How many are.</param>
    public void Add(int[] nodes, long[] ids, int there)
    {
        var order = Array.ConvertAll(nodes, node => RowHash.Bits(1, ids[node], 0x484E5357));
        Array.Sort(order, nodes);
        for (var first = 0; first < nodes.Length;)
        {
            var count = Math.Min(Math.Clamp(there, 1, MostOfRound), nodes.Length - first);
            Round(nodes.AsMemory(first, count));
            first += count;
            there += count;
        }
    }

    /// <summary>Cuts all lists to their size.</summary>
    public void Finish() => Share(links.Count, 512, (worker, node) =>
    {
        for (var level = 0; level <= links.LevelOf(node); level++)
        {
            if (links.ListOf(node, level)[0] > links.MostLinks(level)) Rechoose(worker, node, level, links.ListOf(node, level).ToArray().AsSpan(1, links.ListOf(node, level)[0]));
        }
    });

    /// <summary>Gives a node the best of some candidates as its links.</summary>
    public void Rechoose(Worker worker, int node, int level, ReadOnlySpan<int> candidates)
    {
        worker.Kernel.Aim(node);
        var sorted = worker.Sorted;
        sorted.Clear();
        foreach (var candidate in candidates) sorted.Add((worker.Kernel.Distance(candidate), candidate));
        sorted.Sort();
        worker.Walk.Choose(worker.Kernel, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(sorted), links.MostLinks(level));
        Set(links.ListOf(node, level), worker.Walk.Chosen);
    }

    /// <summary>Work on numbers from 0, shared among the threads.</summary>
    public void Share(int count, int part, Action<Worker, int> work)
    {
        var next = -1;
        SharedWork.Run(threads, threads, thread =>
        {
            for (var at = Interlocked.Increment(ref next); (long)at * part < count; at = Interlocked.Increment(ref next))
            {
                for (var i = at * part; i < Math.Min(count, (at + 1) * part); i++) work(_workers[thread], i);
            }
        });
    }

    private void Round(ReadOnlyMemory<int> nodes)
    {
        var chosen = new int[nodes.Length][][];
        var mates = nodes.ToArray();
        Share(nodes.Length, 4, (worker, i) => chosen[i] = Look(worker, mates[i], mates));

        var additions = new List<(int Target, int Level, int Node)>();
        for (var i = 0; i < mates.Length; i++)
        {
            for (var level = 0; level < chosen[i].Length; level++)
            {
                Set(links.ListOf(mates[i], level), chosen[i][level]);
                foreach (var target in chosen[i][level]) additions.Add((target, level, mates[i]));
            }
        }
        additions.Sort();
        var starts = new List<int>();
        for (var i = 0; i < additions.Count; i++)
        {
            if (i == 0 || additions[i].Target != additions[i - 1].Target || additions[i].Level != additions[i - 1].Level) starts.Add(i);
        }
        starts.Add(additions.Count);
        Share(starts.Count - 1, 32, (worker, i) =>
        {
            var (target, level, _) = additions[starts[i]];
            Link(worker, target, level, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(additions)[starts[i]..starts[i + 1]]);
        });
        foreach (var node in mates)
        {
            if (links.LevelOf(node) > TopLevel) Entry = node;
        }
    }

    /// <summary>The links that a new node takes on each of its levels.</summary>
    private int[][] Look(Worker worker, int node, int[] mates)
    {
        var top = links.LevelOf(node);
        var chosen = new int[top + 1][];
        var entry = Entry;
        worker.Kernel.Aim(node);
        var distances = worker.Distances;
        for (var i = 0; i < mates.Length; i++) distances[i] = worker.Kernel.Distance(mates[i]);
        if (entry >= 0) entry = worker.Walk.Descend(worker.Kernel, links, entry, TopLevel, top);
        var sorted = worker.Sorted;
        for (var level = top; level >= 0; level--)
        {
            sorted.Clear();
            if (level <= TopLevel)
            {
                worker.Kernel.Aim(node);
                worker.Walk.Search(worker.Kernel, links, level, entry, efConstruction);
                var pool = worker.Walk.Pool;
                entry = pool.NodeAt(0);
                for (var i = 0; i < pool.Count; i++) sorted.Add((pool.DistanceAt(i), pool.NodeAt(i)));
            }
            var limit = sorted.Count < efConstruction ? uint.MaxValue : sorted[^1].Distance;
            for (var i = 0; i < mates.Length; i++)
            {
                if (mates[i] != node && distances[i] <= limit && links.LevelOf(mates[i]) >= level) sorted.Add((distances[i], mates[i]));
            }
            sorted.Sort();
            worker.Walk.Choose(worker.Kernel, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(sorted), links.M);
            chosen[level] = [.. worker.Walk.Chosen];
        }
        return chosen;
    }

    /// <summary>Makes links back to new nodes.</summary>
    private void Link(Worker worker, int target, int level, ReadOnlySpan<(int Target, int Level, int Node)> additions)
    {
        var list = links.ListOf(target, level);
        var count = list[0];
        var all = worker.Links;
        all.Clear();
        foreach (var (_, _, node) in additions)
        {
            if (!list.Slice(1, count).Contains(node)) all.Add(node);
        }
        if (count + all.Count < list.Length)
        {
            foreach (var node in all) list[++count] = node;
            list[0] = count;
            return;
        }
        all.AddRange(list.Slice(1, count));
        Rechoose(worker, target, level, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(all));
    }

    private static void Set(Span<int> list, IReadOnlyList<int> chosen)
    {
        for (var i = 0; i < chosen.Count; i++) list[i + 1] = chosen[i];
        list[0] = chosen.Count;
    }

    /// <summary>What a thread works with.</summary>
    public sealed class Worker(int nodes, T kernel)
    {
        public GraphWalk Walk { get; } = new(nodes);

        public T Kernel { get; } = kernel;

        public List<(uint Distance, int Node)> Sorted { get; } = [];

        public List<int> Links { get; } = [];

        public uint[] Distances { get; } = new uint[MostOfRound];
    }
}
