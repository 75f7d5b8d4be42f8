using System.Runtime.CompilerServices;

namespace Dataflow.MLlib.NeighborKernels;

/// <summary>
/// Many queries against many rows, fused: tiles of inner products stay in the cache, are compared with each query's threshold, and only pairs below it are computed
/// exactly. No matrix of distances is ever written.
/// </summary>
/// <remarks>A panel, or a piece of it for long vectors, stays in the first-level cache while the queries of a chunk stream past it from the second.</remarks>
internal sealed unsafe class PanelSearch
{
    /// <summary>Features of a piece: 128 of 48 rows are 24 KB.</summary>
    private const int PieceFeatures = 128;

    private const int ChunkBytes = 384 * 1024;

    private readonly Panels _panels;
    private readonly RankKeys _keys;
    private readonly Func<long, bool>? _filter;
    private readonly double[] _rowNorms;

    public PanelSearch(Panels panels, RankKeys keys, Func<long, bool>? filter)
    {
        _panels = panels;
        _keys = keys;
        _filter = filter;
        _rowNorms = panels.Kind == DistanceMetric.Cosine ? panels.Rows.Norms : [];
        var tile = Tiles.Queries;
        ChunkQueries = Math.Clamp(ChunkBytes / (panels.Features * sizeof(float)) / tile, 1, 128) * tile;
    }

    /// <summary>Queries that are taken at once.</summary>
    public int ChunkQueries { get; }

    /// <summary>Offers all rows of some panels that may be among the best of a chunk's queries.</summary>
    /// <param name="queries">First query; the features of the next follow.</param>
    /// <param name="first">Its number in <paramref name="lists"/>.</param>
    /// <param name="count">At most <see cref="ChunkQueries"/>.</param>
    public void Run(float* queries, int first, int count, int firstPanel, int endPanel, NeighborLists lists)
    {
        var features = _panels.Features;
        var tileQueries = Tiles.Queries;
        var tileSums = Tiles.Rows * tileQueries;
        var tiles = (count + tileQueries - 1) / tileQueries;
        var packed = new AlignedFloats((long)tiles * tileQueries * features);
        var sums = new AlignedFloats((long)(features > PieceFeatures ? tiles : 1) * tileSums);
        var thresholds = new AlignedFloats(tiles * tileQueries);
        var norms = new double[tiles * tileQueries];
        var rules = new QueryThreshold[tiles * tileQueries];
        thresholds.Span.Fill(float.NegativeInfinity);
        for (var q = 0; q < count; q++)
        {
            var query = queries + ((long)q * features);
            norms[q] = ExactDistances.Dot(query, query, features);
            rules[q] = _panels.PackQuery(query, norms[q], packed.Pointer + ((long)(q / tileQueries) * tileQueries * features) + (q % tileQueries));
            thresholds.Pointer[q] = rules[q].Of(lists.Bound(first + q));
        }

        var chunk = new Chunk(queries, first, norms, rules, thresholds.Pointer, lists);
        for (var panel = firstPanel; panel < endPanel; panel++)
        {
            var rows = _panels.Panel(panel);
            var offsets = _panels.Offsets + ((long)panel * Tiles.Rows);
            for (var piece = 0; piece < features; piece += PieceFeatures)
            {
                var length = Math.Min(PieceFeatures, features - piece);
                var isLast = piece + length == features;
                for (var tile = 0; tile < tiles; tile++)
                {
                    var tileSum = features > PieceFeatures ? sums.Pointer + ((long)tile * tileSums) : sums.Pointer;
                    Tiles.Run(packed.Pointer + (((long)tile * features) + piece) * tileQueries, rows + ((long)piece * Tiles.Rows), length, tileSum, piece > 0);
                    if (!isLast) continue;
                    var below = Tiles.Below(tileSum, offsets, thresholds.Pointer + (tile * tileQueries));
                    if (below != 0) Offer(chunk, tile * tileQueries, below, tileSum, offsets, panel * Tiles.Rows);
                }
            }
        }
        GC.KeepAlive(packed);
        GC.KeepAlive(sums);
        GC.KeepAlive(thresholds);
        GC.KeepAlive(_panels);
    }

    /// <summary>Computes the pairs that passed, exactly, and offers them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Offer(in Chunk chunk, int firstQuery, int below, float* sums, float* offsets, int firstRow)
    {
        var rows = _panels.Rows;
        var features = _panels.Features;
        for (; below != 0; below &= below - 1)
        {
            var lane = System.Numerics.BitOperations.TrailingZeroCount(below);
            var q = firstQuery + lane;
            var query = chunk.Queries + ((long)q * features);
            for (var j = 0; j < Tiles.Rows; j++)
            {
                if (!(offsets[j] + sums[(lane * Tiles.Rows) + j] < chunk.Thresholds[q])) continue;
                var position = firstRow + j;
                if (_filter is not null && !_filter(rows.Ids[position])) continue;
                var key = _keys.Of(query, chunk.Norms[q], rows.Pointer + ((long)position * features), _rowNorms.Length == 0 ? 0 : _rowNorms[position]);
                chunk.Lists.Offer(chunk.First + q, key, position);
                chunk.Thresholds[q] = chunk.Rules[q].Of(chunk.Lists.Bound(chunk.First + q));
            }
        }
    }

    private readonly struct Chunk(float* queries, int first, double[] norms, QueryThreshold[] rules, float* thresholds, NeighborLists lists)
    {
        public readonly float* Queries = queries;
        public readonly int First = first;
        public readonly double[] Norms = norms;
        public readonly QueryThreshold[] Rules = rules;
        public readonly float* Thresholds = thresholds;
        public readonly NeighborLists Lists = lists;
    }
}
