using Dataflow.MLlib.NeighborIndexes;
using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>
/// An inverted file (Jegou, Douze and Schmid 2011, section 4): rows in lists around centres of k-means, of which a query looks at the nearest few. Rows lie list by list as they
/// are, or coded by <see cref="ProductCodes"/>; then the best by code are compared exactly at the end.
/// </summary>
internal sealed unsafe class IvfIndex : NeighborIndex
{
    private const int DefaultProbes = 8;
    private readonly ExactIndex _centers;
    private readonly int[] _starts;
    private readonly int[] _order;
    private readonly RowSet _listed;
    private readonly ProductCodes? _codes;
    private readonly int _rerank;
    private AlignedFloats? _lengths;

    private IvfIndex(RowSet rows, Metric metric, float[] centers, int[] starts, int[] order, ProductCodes? codes, int rerank)
        : base(rows, metric)
    {
        _centers = new ExactIndex(RowSet.Of(centers, rows.Features, default), metric);
        _starts = starts;
        _order = order;
        _codes = codes;
        _rerank = rerank;
        _listed = codes is null ? rows.Rearranged(order) : rows;
    }

    public override NeighborAlgorithm Algorithm => NeighborAlgorithm.Ivf;

    public static IvfIndex Build(RowSet rows, Metric metric, int lists, int codeBytes, int rerank, int threads)
    {
        if (WhyNot(metric, codeBytes) is { } reason) throw new ArgumentException(reason);
        if (codeBytes > rows.Features) throw new ArgumentException($"Rows of {rows.Features} features can't be cut into {codeBytes} parts. Let CodeBytes be at most the number of features.");
        var values = Placed(rows, metric);
        var count = lists > 0 ? Math.Min(lists, rows.Count) : Math.Max(1, (int)(4 * Math.Sqrt(rows.Count)));
        var centers = rows.Count == 0 ? new float[rows.Features] : CenterTraining.Train(values, rows.Features, count, threads);
        return Fill(rows, metric, centers, null, codeBytes, rerank, threads);
    }

    /// <summary>Why a metric can't be had; null if it can.</summary>
    private static string? WhyNot(Metric metric, int codeBytes)
    {
        // Means are centres of numbers that may be added; of sets and categories they are not.
        if (metric.Kind is DistanceMetric.Hamming or DistanceMetric.Jaccard)
            return $"Ivf puts rows into lists around means, and {metric.Kind} compares what has none. Take {nameof(NeighborAlgorithm.Hnsw)} or {nameof(NeighborAlgorithm.BruteForce)}.";
        if (codeBytes == 0 || !IsOfSums(metric)) return null;
        return $"Product quantisation (CodeBytes = {codeBytes}) adds up distances of parts of rows, which is done for Euclidean distance, cosine and inner product, and {metric.Kind} is none of these. "
            + $"Let CodeBytes be 0, or take {nameof(NeighborAlgorithm.Hnsw)}.";
    }

    /// <summary>Whether it is none of the metrics that inner products give.</summary>
    private static bool IsOfSums(Metric metric) => metric.Kind is DistanceMetric.Manhattan or DistanceMetric.Chebyshev or DistanceMetric.Minkowski;

    public static IvfIndex Read(RowSet rows, Metric metric, IndexData data)
    {
        if (WhyNot(metric, data.Numbers["parts"]) is { } reason) throw new InvalidDataException(reason);
        var (starts, order, centers) = (data.Ints["starts"], data.Ints["order"], data.Floats["centers"]);
        var valid = order.Length == rows.Count && starts.Length == (centers.Length / rows.Features) + 1 && starts[0] == 0 && starts[^1] == order.Length
            && order.All(position => position >= 0 && position < rows.Count) && starts.Zip(starts.Skip(1)).All(pair => pair.First <= pair.Second);
        if (!valid) throw new InvalidDataException("Lists and rows do not fit each other.");
        var codes = data.Numbers["parts"] > 0 ? ProductCodes.Read(rows.Features, data.Numbers["parts"], data.Floats["codebooks"], data.Bytes["codes"]) : null;
        if (codes is not null && codes.Codes.Length != rows.Count * codes.Parts) throw new InvalidDataException("Codes and rows do not fit each other.");
        return new IvfIndex(rows, metric, centers, starts, order, codes, data.Numbers["rerank"]);
    }

    public override void Write(IndexData data)
    {
        data.Numbers["parts"] = _codes?.Parts ?? 0;
        data.Numbers["rerank"] = _rerank;
        data.Ints["starts"] = _starts;
        data.Ints["order"] = _order;
        data.Floats["centers"] = _centers.Rows.Values.ToArray();
        if (_codes is null) return;
        data.Floats["codebooks"] = _codes.Codebooks;
        data.Bytes["codes"] = _codes.Codes;
    }

    public override NeighborIndex Add(ReadOnlySpan<float> values, ReadOnlySpan<long> ids, IndexOptions options) => Refill(Rows.With(values, ids));

    public override NeighborIndex Remove(ReadOnlySpan<long> ids, IndexOptions options) => Refill(Rows.Without(ids));

    public override NeighborLists Search(ReadOnlySpan<float> queries, in SearchOptions options)
    {
        var count = queries.Length / Rows.Features;
        var lists = new NeighborLists(count, Math.Min(options.K, Rows.Count), options.Bound);
        if (Rows.Count == 0 || count == 0) return lists;
        var probes = Math.Min(options.Breadth > 0 ? options.Breadth : DefaultProbes, _starts.Length - 1);
        var (filter, threads, isUnbound) = (options.Filter, options.Threads, options.Bound == double.PositiveInfinity);
        var nearest = _centers.Search(queries, new(probes, Threads: threads));
        if (_codes is null && Metric.Kind is DistanceMetric.Cosine or DistanceMetric.InnerProduct) _lengths ??= ScanSearch.LengthsOf(_listed);
        fixed (float* start = queries)
        {
            var pointer = start;
            var parts = (count + 7) / 8;
            if (threads == 1 || parts == 1)
            {
                for (var part = 0; part < parts; part++) Part(part);
            }
            else
            {
                SharedWork.Run(parts, threads, Part);
            }

            void Part(int part)
            {
                var scan = _codes is null ? new ScanSearch(_listed, Keys, _lengths, filter, _order) : null;
                for (var q = part * 8; q < Math.Min(count, (part + 1) * 8); q++)
                {
                    nearest.Sort(q);
                    var probed = nearest.Positions(q);
                    if (scan is null) SearchCodes(pointer + ((long)q * Rows.Features), q, probed, filter, lists);
                    else foreach (var list in probed) scan.Run(pointer + ((long)q * Rows.Features), q, 1, _starts[list], _starts[list + 1], lists);
                    if (lists.Count(q) < lists.K && isUnbound) SearchAll(pointer + ((long)q * Rows.Features), q, filter, lists);
                }
            }
        }
        return lists;
    }

    private static IvfIndex Fill(RowSet rows, Metric metric, float[] centers, ProductCodes? codebooks, int codeBytes, int rerank, int threads)
    {
        var features = rows.Features;
        var values = Placed(rows, metric);
        var nearest = rows.Count == 0 ? [] : CenterTraining.Assign(values, centers, features, threads, out _);
        var starts = new int[(centers.Length / features) + 1];
        foreach (var list in nearest) starts[list + 1]++;
        for (var i = 1; i < starts.Length; i++) starts[i] += starts[i - 1];
        var order = new int[rows.Count];
        var ends = starts.AsSpan(..^1).ToArray();
        for (var r = 0; r < rows.Count; r++) order[ends[nearest[r]]++] = r;
        ProductCodes? codes = null;
        if (codeBytes > 0)
        {
            var residuals = new float[values.Length];
            for (var i = 0; i < order.Length; i++)
            {
                var row = values.AsSpan(order[i] * features, features);
                var center = centers.AsSpan(nearest[order[i]] * features, features);
                for (var f = 0; f < features; f++) residuals[(i * features) + f] = row[f] - center[f];
            }
            codes = codebooks?.With(codebooks.Encode(residuals, threads)) ?? (rows.Count == 0 ? null : ProductCodes.Train(residuals, features, codeBytes, threads));
        }
        return new IvfIndex(rows, metric, centers, starts, order, codes, rerank);
    }

    /// <summary>Rows where centres are looked for: of length 1 for the cosine.</summary>
    private static float[] Placed(RowSet rows, Metric metric)
    {
        var values = rows.Values.ToArray();
        if (metric.Kind != DistanceMetric.Cosine) return values;
        for (var r = 0; r < rows.Count; r++) Shorten(values.AsSpan(r * rows.Features, rows.Features), rows.Norms[r]);
        return values;
    }

    private static void Shorten(Span<float> row, double norm)
    {
        var factor = norm > 0 ? 1 / Math.Sqrt(norm) : 0;
        foreach (ref var value in row) value = (float)(value * factor);
    }

    private IvfIndex Refill(RowSet rows) => Fill(rows, Metric, _centers.Rows.Values.ToArray(), _codes, _codes?.Parts ?? 0, _rerank, Environment.ProcessorCount);

    /// <summary>Compares codes, and the best by code exactly.</summary>
    private void SearchCodes(float* query, int number, ReadOnlySpan<int> probed, Func<long, bool>? filter, NeighborLists lists)
    {
        var features = Rows.Features;
        var isProduct = Metric.Kind == DistanceMetric.InnerProduct;
        var norm = ExactDistances.Dot(query, query, features);
        var placed = new ReadOnlySpan<float>(query, features).ToArray();
        if (Metric.Kind == DistanceMetric.Cosine) Shorten(placed, norm);
        var best = new NeighborLists(1, (int)Math.Min(Rows.Count, (long)lists.K * _rerank));
        var residual = new float[features];
        var table = new float[_codes!.Parts * 256];
        float[] sums = [];
        if (isProduct) _codes.Tabulate(placed, true, table);
        foreach (var list in probed)
        {
            var rows = _starts[list + 1] - _starts[list];
            if (sums.Length < rows) sums = new float[rows];
            var center = _centers.Rows.Row(list);
            float start = 0;
            for (var f = 0; f < features; f++)
            {
                residual[f] = placed[f] - center[f];
                if (isProduct) start -= placed[f] * center[f];
            }
            if (!isProduct) _codes.Tabulate(residual, false, table);
            fixed (float* entries = table, results = sums)
            fixed (byte* codes = _codes.Codes) _codes.Sum(entries, codes + ((long)_starts[list] * _codes.Parts), rows, start, results);
            var bound = best.Bound(0);
            for (var i = 0; i < rows; i++)
            {
                if (sums[i] > bound) continue;
                var position = _order[_starts[list] + i];
                if (filter is not null && !filter(Rows.Ids[position])) continue;
                best.Offer(0, sums[i], position);
                bound = best.Bound(0);
            }
        }
        foreach (var position in best.Positions(0)) lists.Offer(number, KeyOf(query, norm, position), position);
    }

    /// <summary>Where the lists that were looked at hold too few rows, all are compared.</summary>
    private void SearchAll(float* query, int number, Func<long, bool>? filter, NeighborLists lists)
    {
        var norm = ExactDistances.Dot(query, query, Rows.Features);
        var there = lists.Positions(number).ToArray();
        for (var position = 0; position < Rows.Count; position++)
        {
            if ((filter is null || filter(Rows.Ids[position])) && !there.Contains(position)) lists.Offer(number, KeyOf(query, norm, position), position);
        }
    }

    private double KeyOf(float* query, double norm, int position) =>
        Keys.Of(query, norm, Rows.Pointer + ((long)position * Rows.Features), Metric.Kind == DistanceMetric.Cosine ? Rows.Norms[position] : 0);
}
