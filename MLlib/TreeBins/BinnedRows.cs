using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeBins;

/// <summary>
/// The rows of a shard as bins, of a byte or two each. Panels of up to 64 columns hold a row in 8, 16, 32 or 64 bytes, so that a row of a panel never lies on two cache
/// lines; histograms read them. Where columns are few they are there a second time, one behind the other: splitting a node's rows reads those.
/// </summary>
internal sealed unsafe class BinnedRows : IDisposable
{
    private const int ColumnCopyColumns = 64;
    private readonly NativeArray<byte> panels;
    private readonly NativeArray<byte>? columns;

    private BinnedRows(BinLayout layout, int rows, RowNumbers numbers, string? folder)
    {
        (Layout, Rows, Numbers) = (layout, rows, numbers);
        var bytes = (long)layout.Columns * layout.NumberBytes;
        RowBytes = bytes <= 8 ? 8 : bytes <= 16 ? 16 : bytes <= 32 ? 32 : 64;
        PanelColumns = RowBytes / layout.NumberBytes;
        Panels = Math.Max(1, (layout.Columns + PanelColumns - 1) / PanelColumns);
        panels = new((long)Panels * RowBytes * rows, folder);
        if (folder is null && layout.Columns <= ColumnCopyColumns && layout.Columns > 0) columns = new(bytes * rows);
        HasMissing = new bool[layout.Features];
    }

    public BinLayout Layout { get; }

    public int Rows { get; }

    /// <summary>The rows' numbers in the whole data set.</summary>
    public RowNumbers Numbers { get; }

    public int Panels { get; }

    /// <summary>Bytes of a row in a panel: 8, 16, 32 or 64.</summary>
    public int RowBytes { get; }

    /// <summary>Columns of a panel.</summary>
    public int PanelColumns { get; }

    /// <summary>By feature: whether any row of all shards misses it.</summary>
    public bool[] HasMissing { get; }

    /// <summary>The rows of a panel.</summary>
    public byte* Panel(int panel) => panels.Pointer + ((long)panel * RowBytes * Rows);

    /// <summary>Where a column's numbers are.</summary>
    public BinColumn Column(int column)
    {
        var size = Layout.NumberBytes;
        return columns is not null ? new(columns.Pointer + ((long)column * size * Rows), size, Layout.IsWide)
            : new(Panel(column / PanelColumns) + ((long)(column % PanelColumns) * size), RowBytes, Layout.IsWide);
    }

    /// <summary>Bins the rows of a shard.</summary>
    /// <remarks>One pass over the blocks, shared over the team; needs no more memory than the bins. These lie in a temporary file if a folder is given.</remarks>
    public static BinnedRows Of(IReadOnlyList<RowSource> blocks, BinLayout layout, ThreadTeam team, ITreeGroup group, string? folder = null)
    {
        var total = blocks.Sum(block => (long)block.Rows);
        if (total > int.MaxValue - 64)
            throw new ArgumentException($"A shard holds {total:N0} rows; at most {int.MaxValue - 64:N0} fit into one. Train with more partitions.", nameof(blocks));
        var rows = new BinnedRows(layout, (int)total, RowNumbers.Of(blocks), folder);
        const int ChunkRows = 4096;
        var chunks = new List<(RowSource Block, int Local, int First, int Count)>();
        var local = 0;
        foreach (var block in blocks)
        {
            for (var first = 0; first < block.Rows; first += ChunkRows) chunks.Add((block, local + first, first, Math.Min(ChunkRows, block.Rows - first)));
            local += block.Rows;
        }
        var binner = new RowBinner(layout);
        var missing = Enumerable.Range(0, team.Size).Select(_ => new long[layout.Features]).ToArray();
        team.Share(chunks.Count, (chunk, member) =>
        {
            var (block, place, first, count) = chunks[chunk];
            binner.Bin(block, first, count, rows, place, missing[member]);
        });
        var any = new long[layout.Features];
        foreach (var counts in missing)
        {
            for (var feature = 0; feature < any.Length; feature++) any[feature] += counts[feature];
        }
        group.AllReduceSum(any);
        for (var feature = 0; feature < any.Length; feature++) rows.HasMissing[feature] = any[feature] > 0;
        return rows;
    }

    public void Dispose()
    {
        panels.Dispose();
        columns?.Dispose();
    }
}
