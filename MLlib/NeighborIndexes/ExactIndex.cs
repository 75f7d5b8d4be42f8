using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>
/// Brute force over a <see cref="RowSet"/>: exact, with the same bits whatever the number of threads, the instruction set and the way the queries come. Thread-safe.
/// </summary>
internal sealed unsafe class ExactIndex(RowSet rows, Metric metric) : NeighborIndex(rows, metric)
{
    private readonly Lock _packing = new();
    private Panels? _panels;
    private AlignedFloats? _lengths;

    public override NeighborAlgorithm Algorithm => NeighborAlgorithm.BruteForce;

    private bool IsProduct => Metric.Kind is DistanceMetric.Euclidean or DistanceMetric.SquaredEuclidean or DistanceMetric.Cosine or DistanceMetric.InnerProduct;

    public override NeighborLists Search(ReadOnlySpan<float> queries, in SearchOptions options)
    {
        var (filter, threads) = (options.Filter, options.Threads);
        var count = queries.Length / Rows.Features;
        var lists = new NeighborLists(count, Math.Min(options.K, Rows.Count), options.Bound);
        if (Rows.Count == 0 || count == 0) return lists;
        fixed (float* start = queries)
        {
            var usePanels = IsProduct && (count >= 32 || (count >= 8 && _panels is not null));
            if (usePanels) SearchPanels(start, count, lists, filter, threads);
            else Scan(start, count, lists, filter, threads);
        }
        return lists;
    }

    private void SearchPanels(float* queries, int count, NeighborLists lists, Func<long, bool>? filter, int threads)
    {
        Panels panels;
        lock (_packing) panels = _panels ??= new Panels(Rows, Metric.Kind, threads);
        var search = new PanelSearch(panels, Keys, filter);

        // Chunks of queries, of equal size, a few a thread; with few queries the rows are shared among the threads instead.
        var chunk = Math.Min(search.ChunkQueries, Math.Max(64, (count + threads - 1) / threads));
        var chunks = (count + chunk - 1) / chunk;
        var parts = threads > 1 && chunks < 2 * threads ? Math.Min(threads * 2, panels.Count) : 1;
        var features = Rows.Features;
        Run(chunks, parts, lists, threads, (c, part, into) =>
        {
            var first = c * chunk;
            search.Run(queries + ((long)first * features), first, Math.Min(chunk, count - first), (int)((long)panels.Count * part / parts),
                (int)((long)panels.Count * (part + 1) / parts), into);
        });
    }

    private void Scan(float* queries, int count, NeighborLists lists, Func<long, bool>? filter, int threads)
    {
        AlignedFloats? lengths = null;
        if (Metric.Kind is DistanceMetric.Cosine or DistanceMetric.InnerProduct)
        {
            lock (_packing) lengths = _lengths ??= ScanSearch.LengthsOf(Rows);
        }
        var scan = new ScanSearch(Rows, Keys, lengths, filter);
        var features = Rows.Features;
        var work = (long)count * Rows.Count * features;
        if (work < 1 << 20) threads = 1;
        var chunk = Math.Clamp((count + threads - 1) / threads, 1, 64);
        var chunks = (count + chunk - 1) / chunk;
        var parts = threads > 1 && chunks < 2 * threads ? (int)Math.Min(threads * 2, (Rows.Count + 255L) / 256) : 1;
        Run(chunks, parts, lists, threads, (c, part, into) =>
        {
            var first = c * chunk;
            scan.Run(queries + ((long)first * features), first, Math.Min(chunk, count - first), (int)((long)Rows.Count * part / parts),
                (int)((long)Rows.Count * (part + 1) / parts), into);
        });
    }

    /// <summary>Runs chunks of queries against parts of the rows; parts have lists of their own, which come together at the end.</summary>
    private static void Run(int chunks, int parts, NeighborLists lists, int threads, Action<int, int, NeighborLists> search)
    {
        var ofParts = new NeighborLists[parts];
        for (var part = 0; part < parts; part++) ofParts[part] = part == 0 ? lists : lists.EmptyCopy();
        if (threads == 1 || chunks * parts == 1)
        {
            for (var item = 0; item < chunks * parts; item++) search(item / parts, item % parts, ofParts[item % parts]);
        }
        else
        {
            var next = -1;
            SharedWork.Run(threads, threads, _ =>
            {
                for (var item = Interlocked.Increment(ref next); item < chunks * parts; item = Interlocked.Increment(ref next))
                {
                    search(item / parts, item % parts, ofParts[item % parts]);
                }
            });
        }
        for (var part = 1; part < parts; part++) lists.Merge(ofParts[part]);
    }
}
