using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>
/// Links of all nodes on all levels. Level 0 lies in one block, a count and then links of each node; the few nodes of higher levels have their links in a second. A node's
/// highest level is a function of its id.
/// </summary>
internal sealed class LinkLists
{
    private readonly int[] _levels;
    private readonly int[] _ground;
    private readonly int[] _upper;
    private readonly int[] _upperStarts;

    public LinkLists(long[] ids, int m, int slack)
    {
        M = m;
        GroundStride = (2 * m) + slack + 1;
        UpperStride = m + (slack / 2) + 1;
        _levels = new int[ids.Length];
        _upperStarts = new int[ids.Length];
        long upper = 0;
        for (var node = 0; node < ids.Length; node++)
        {
            _levels[node] = LevelOf(ids[node], m);
            _upperStarts[node] = (int)upper;
            upper += (long)_levels[node] * UpperStride;
        }
        var ground = (long)ids.Length * GroundStride;
        if (Math.Max(ground, upper) > Array.MaxLength) throw new ArgumentException($"A graph of {ids.Length:N0} rows with M = {m} is too large for one process. Take a smaller M, or spread the rows.");
        _ground = GC.AllocateArray<int>((int)ground, pinned: true);
        _upper = new int[upper];
    }

    public int M { get; }

    public int GroundStride { get; }

    public int UpperStride { get; }

    public int Count => _levels.Length;

    /// <summary>Highest level of a node.</summary>
    public int LevelOf(int node) => _levels[node];

    /// <summary>Most links of a node on a level, once it is finished.</summary>
    public int MostLinks(int level) => level == 0 ? 2 * M : M;

    /// <summary>Count and links of a node on a level: as many as fit while it is built.</summary>
    public Span<int> ListOf(int node, int level) => level == 0
        ? _ground.AsSpan(node * GroundStride, GroundStride)
        : _upper.AsSpan(_upperStarts[node] + ((level - 1) * UpperStride), UpperStride);

    /// <summary>The level-0 lists as they lie.</summary>
    public int[] Ground => _ground;

    /// <summary>Geometric with ratio 1/M, by a hash of the id (Malkov and Yashunin 2018, section 4.1, draws it).</summary>
    private static int LevelOf(long id, int m)
    {
        var uniform = RowHash.Uniform(0, id, 0x484E5357);
        return (int)Math.Min(30, -Elementary.Log(1 - uniform) / Elementary.Log(m));
    }
}
