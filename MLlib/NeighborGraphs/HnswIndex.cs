using System.Collections.Concurrent;
using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>
/// A hierarchy of navigable small worlds (Malkov and Yashunin 2018). Walks compare rows rounded to bytes where those are fine enough; all that a walk ends with is compared
/// exactly. The graph is the same for any number of threads.
/// </summary>
internal sealed class HnswIndex : NeighborIndex
{
    private const int DefaultBreadth = 64;
    private readonly int _efConstruction;
    private readonly LinkLists _links;
    private readonly GraphStore _store;
    private readonly int _entry;
    private readonly ConcurrentBag<Walker> _walkers = [];

    private HnswIndex(RowSet rows, Metric metric, int efConstruction, LinkLists links, GraphStore store, int entry)
        : base(rows, metric)
    {
        _efConstruction = efConstruction;
        _links = links;
        _store = store;
        _entry = entry;
    }

    public override NeighborAlgorithm Algorithm => NeighborAlgorithm.Hnsw;

    public static HnswIndex Build(RowSet rows, Metric metric, int m, int efConstruction, int threads)
    {
        var links = new LinkLists(rows.Ids, m, slack: m);
        var store = new GraphStore(rows, metric, threads);
        var entry = store.Build(links, [.. Enumerable.Range(0, rows.Count)], 0, -1, efConstruction, threads);
        return new HnswIndex(rows, metric, efConstruction, Tight(links, rows), store, entry);
    }

    public static HnswIndex Read(RowSet rows, Metric metric, IndexData data)
    {
        if (data.Numbers["m"] is < 2 or > 256 || data.Numbers["efConstruction"] < 1) throw new InvalidDataException($"The graph has M = {data.Numbers["m"]}.");
        var links = new LinkLists(rows.Ids, data.Numbers["m"], slack: 0);
        var all = data.Ints["links"];
        var at = 0;
        for (var node = 0; node < rows.Count; node++)
        {
            for (var level = 0; level <= links.LevelOf(node); level++)
            {
                var list = links.ListOf(node, level);
                var count = at < all.Length ? all[at] : -1;
                if (count < 0 || count >= list.Length || at + count >= all.Length) throw new InvalidDataException($"Row {node} has {count} links.");
                all.AsSpan(at, count + 1).CopyTo(list);
                foreach (var link in list.Slice(1, count))
                {
                    if (link < 0 || link >= rows.Count || links.LevelOf(link) < level) throw new InvalidDataException($"Row {node} has a link to {link}, which is not there.");
                }
                at += count + 1;
            }
        }
        var entry = data.Numbers["entry"];
        if (entry < -1 || entry >= rows.Count || (entry < 0 && rows.Count > 0)) throw new InvalidDataException($"The graph is entered at {entry}, and has {rows.Count} rows.");
        return new HnswIndex(rows, metric, data.Numbers["efConstruction"], links, new GraphStore(rows, metric, Environment.ProcessorCount), entry);
    }

    public override void Write(IndexData data)
    {
        data.Numbers["m"] = _links.M;
        data.Numbers["efConstruction"] = _efConstruction;
        data.Numbers["entry"] = _entry;
        var all = new List<int>(_links.Count * (_links.M + 1));
        for (var node = 0; node < _links.Count; node++)
        {
            for (var level = 0; level <= _links.LevelOf(node); level++)
            {
                var list = _links.ListOf(node, level);
                all.AddRange(list[..(list[0] + 1)]);
            }
        }
        data.Ints["links"] = [.. all];
    }

    public override NeighborLists Search(ReadOnlySpan<float> queries, in SearchOptions options)
    {
        var count = queries.Length / Rows.Features;
        var lists = new NeighborLists(count, Math.Min(options.K, Rows.Count), options.Bound);
        if (Rows.Count == 0) return lists;
        var (breadth, filter) = (Math.Max(options.Breadth > 0 ? options.Breadth : DefaultBreadth, options.K), options.Filter);
        if (options.Threads == 1 || count < 8)
        {
            for (var q = 0; q < count; q++) Search(queries.Slice(q * Rows.Features, Rows.Features), q, breadth, filter, lists);
            return lists;
        }
        var copy = queries.ToArray();
        var next = -1;
        SharedWork.Run(options.Threads, options.Threads, _ =>
        {
            for (var part = Interlocked.Increment(ref next); part * 16 < count; part = Interlocked.Increment(ref next))
            {
                for (var q = part * 16; q < Math.Min(count, (part + 1) * 16); q++) Search(copy.AsSpan(q * Rows.Features, Rows.Features), q, breadth, filter, lists);
            }
        });
        return lists;
    }

    public override NeighborIndex Add(ReadOnlySpan<float> values, ReadOnlySpan<long> ids, IndexOptions options)
    {
        var rows = Rows.With(values, ids);
        var position = PositionsIn(rows);
        var links = Copy(_links, new LinkLists(rows.Ids, _links.M, slack: _links.M), position);
        var isOld = new bool[rows.Count];
        foreach (var at in position) isOld[at] = true;
        var store = new GraphStore(rows, Metric, Environment.ProcessorCount);
        var entry = store.Build(links, [.. Enumerable.Range(0, rows.Count).Where(node => !isOld[node])], Rows.Count, _entry < 0 ? -1 : position[_entry], _efConstruction, Environment.ProcessorCount);
        return new HnswIndex(rows, Metric, _efConstruction, Tight(links, rows), store, entry);
    }

    public override NeighborIndex Remove(ReadOnlySpan<long> ids, IndexOptions options)
    {
        var rows = Rows.Without(ids);
        if (rows.Count < Rows.Count / 2) return Build(rows, Metric, _links.M, _efConstruction, Environment.ProcessorCount);
        var position = PositionsIn(rows);
        var repaired = GraphRepair.ReconnectAround(Copy(_links, new LinkLists(Rows.Ids, _links.M, slack: 0), null), position, _store);
        var links = Copy(repaired, new LinkLists(rows.Ids, _links.M, slack: 0), position);
        var entry = -1;
        for (var node = 0; node < rows.Count; node++)
        {
            if (entry < 0 || links.LevelOf(node) > links.LevelOf(entry)) entry = node;
        }
        return new HnswIndex(rows, Metric, _efConstruction, links, new GraphStore(rows, Metric, Environment.ProcessorCount), entry);
    }

    private unsafe void Search(ReadOnlySpan<float> query, int number, int breadth, Func<long, bool>? filter, NeighborLists lists)
    {
        if (!_walkers.TryTake(out var walker)) walker = new Walker(new GraphWalk(Rows.Count), _store.NewPoint());
        fixed (float* values = query)
        {
            var norm = ExactDistances.Dot(values, values, Rows.Features);
            _store.Aim(walker.Point, query, norm);
            for (; ; breadth = (int)Math.Min(Rows.Count, breadth * 4L))
            {
                _store.With(new Walk(walker, _links, _store, _entry, breadth));
                var pool = walker.Graph.Pool;
                var passing = 0;
                for (var i = 0; i < pool.Count; i++)
                {
                    if (filter is null || filter(Rows.Ids[pool.NodeAt(i)])) passing++;
                }
                if (passing >= lists.K || breadth >= Rows.Count) break;
            }
            Offer(walker.Graph.Pool, values, norm, number, filter, lists);
        }
        _walkers.Add(walker);

        // A filter left too few, or rows lie apart from the rest of the graph: all of them are compared.
        if (lists.Count(number) < lists.K && lists.Bound(number) == double.PositiveInfinity)
        {
            var all = new ExactIndex(Rows, Metric).Search(query, new(lists.K, Filter: filter));
            for (var i = 0; i < all.Count(0); i++)
            {
                if (!lists.Positions(number).Contains(all.Positions(0)[i])) lists.Offer(number, all.Keys(0)[i], all.Positions(0)[i]);
            }
        }
    }

    private unsafe void Offer(CandidatePool pool, float* query, double norm, int number, Func<long, bool>? filter, NeighborLists lists)
    {
        var norms = Metric.Kind == DistanceMetric.Cosine ? Rows.Norms : [];
        for (var i = 0; i < pool.Count; i++)
        {
            var node = pool.NodeAt(i);
            if (filter is not null && !filter(Rows.Ids[node])) continue;
            lists.Offer(number, Keys.Of(query, norm, Rows.Pointer + ((long)node * Rows.Features), norms.Length == 0 ? 0 : norms[node]), node);
        }
        GC.KeepAlive(Rows);
    }

    /// <summary>Where each row is among others; -1 where it is not.</summary>
    private int[] PositionsIn(RowSet rows)
    {
        var position = new int[Rows.Count];
        for (int i = 0, at = 0; i < position.Length; i++)
        {
            while (at < rows.Count && rows.Ids[at] < Rows.Ids[i]) at++;
            position[i] = at < rows.Count && rows.Ids[at] == Rows.Ids[i] ? at : -1;
        }
        return position;
    }

    /// <summary>Links without room to grow.</summary>
    private static LinkLists Tight(LinkLists links, RowSet rows) => Copy(links, new LinkLists(rows.Ids, links.M, slack: 0), null);

    private static LinkLists Copy(LinkLists from, LinkLists to, int[]? position)
    {
        for (var node = 0; node < from.Count; node++)
        {
            var target = position is null ? node : position[node];
            if (target < 0) continue;
            for (var level = 0; level <= from.LevelOf(node); level++)
            {
                var source = from.ListOf(node, level);
                var list = to.ListOf(target, level);
                list[0] = source[0];
                for (var i = 1; i <= source[0]; i++) list[i] = position is null ? source[i] : position[source[i]];
            }
        }
        return to;
    }

    private sealed record Walker(GraphWalk Graph, AlignedFloats Point);

    private readonly struct Walk(Walker walker, LinkLists links, GraphStore store, int entry, int breadth) : IKernelUser
    {
        public void Use<T>()
            where T : struct, IGraphKernel<T>
        {
            var kernel = T.Over(store, walker.Point);
            walker.Graph.Search(kernel, links, 0, walker.Graph.Descend(kernel, links, entry, links.LevelOf(entry), 0), breadth);
        }
    }
}
