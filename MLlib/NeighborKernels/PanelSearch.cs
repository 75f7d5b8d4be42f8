using System.Runtime.CompilerServices;

namespace Dataflow.MLlib.NeighborKernels;

/// <summary>
/// Many queries against many rows, fused: tiles of inner products stay in the cache, are compared with each query's threshold, and only pairs below it are computed
/// exactly. No matrix of distances is ever written.
/// </summary>
/// <remarks>A panel, or a piece of it for long vectors, stays in the first-level cache while the queries of a chunk stream past it from the second.</remarks>
internal sealed unsafe class PanelSearch
{
    /// <summary>Slots of a piece at most: 128 of 48 rows are 24 KB.</summary>
    private const int MostSlots = 128;

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
        ChunkQueries = Math.Clamp(ChunkBytes / (panels.Slots * sizeof(float)) / tile, 1, 128) * tile;
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
        var slots = _panels.Slots;
        var isWhole = _panels.IsWhole;
        var pieces = (slots + MostSlots - 1) / MostSlots;
        var pieceSlots = (slots + pieces - 1) / pieces;
        var packed = new AlignedFloats((long)tiles * tileQueries * slots);
        var sums = new AlignedFloats((long)(pieces > 1 ? tiles : 1) * tileSums);
        var factors = new AlignedFloats(tiles * tileQueries);
        var thresholds = new AlignedFloats(tiles * tileQueries);
        var norms = new double[tiles * tileQueries];
        var rules = new QueryThreshold[tiles * tileQueries];
        thresholds.Span.Fill(float.NegativeInfinity);
        for (var q = 0; q < count; q++)
        {
            var query = queries + ((long)q * features);
            norms[q] = ExactDistances.Dot(query, query, features);
            rules[q] = _panels.PackQuery(query, norms[q], packed.Pointer + ((long)(q / tileQueries) * tileQueries * slots) + (q % tileQueries));
            factors.Pointer[q] = rules[q].SumFactor;
            thresholds.Pointer[q] = rules[q].Of(lists.Bound(first + q));
        }

        var chunk = new Chunk(queries, first, norms, rules, thresholds.Pointer, lists);
        for (var panel = firstPanel; panel < endPanel; panel++)
        {
            var rows = _panels.Panel(panel);
            var offsets = _panels.Offsets + ((long)panel * Tiles.Rows);
            for (var piece = 0; piece < slots; piece += pieceSlots)
            {
                var length = Math.Min(pieceSlots, slots - piece);
                var isLast = piece + length == slots;
                for (var tile = 0; tile < tiles; tile++)
                {
                    var tileSum = pieces > 1 ? sums.Pointer + ((long)tile * tileSums) : sums.Pointer;
                    var asked = packed.Pointer + ((((long)tile * slots) + piece) * tileQueries);
                    var held = rows + ((long)piece * Tiles.Rows);
                    if (isWhole) WholeTiles.Run((short*)asked, (short*)held, length, (int*)tileSum, piece > 0);
                    else Tiles.Run(asked, held, length, tileSum, piece > 0);
                    if (!isLast) continue;
                    var firstQuery = tile * tileQueries;
                    var below = isWhole ? WholeTiles.Below((int*)tileSum, offsets, factors.Pointer + firstQuery, thresholds.Pointer + firstQuery)
                        : Tiles.Below(tileSum, offsets, thresholds.Pointer + firstQuery);
                    if (below != 0) Offer(chunk, firstQuery, below, tileSum, offsets, panel * Tiles.Rows);
                }
            }
        }
        GC.KeepAlive(factors);
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
                var at = (lane * Tiles.Rows) + j;
                var sum = _panels.IsWhole ? ((int*)sums)[at] * chunk.Rules[q].SumFactor : sums[at];
                if (!(offsets[j] + sum < chunk.Thresholds[q])) continue;
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
