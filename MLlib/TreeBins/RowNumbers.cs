namespace Dataflow.MLlib.TreeBins;

/// <summary>The numbers that a shard's rows have in the whole data set. They follow each other within a run, which is one or more blocks; a shard has few runs.</summary>
internal sealed class RowNumbers
{
    // By run: its first row, and what its rows' numbers are above their places in the shard.
    private readonly int[] starts;
    private readonly long[] offsets;

    private RowNumbers(int[] starts, long[] offsets) => (this.starts, this.offsets) = (starts, offsets);

    /// <summary>The number of a row.</summary>
    public long this[int row] => row + offsets[RunOf(row)];

    public static RowNumbers Of(IReadOnlyList<RowSource> blocks)
    {
        List<int> starts = [0];
        List<long> offsets = [0];
        var place = 0;
        foreach (var block in blocks)
        {
            if (block.Rows == 0) continue;
            var offset = block.FirstRow - place;
            if (place == 0)
            {
                offsets[0] = offset;
            }
            else if (offset != offsets[^1])
            {
                starts.Add(place);
                offsets.Add(offset);
            }
            place += block.Rows;
        }
        return new RowNumbers([.. starts], [.. offsets]);
    }

    /// <summary>The run of a row.</summary>
    public int RunOf(int row)
    {
        if (starts.Length == 1) return 0;
        var at = Array.BinarySearch(starts, row);
        return at >= 0 ? at : ~at - 1;
    }

    /// <summary>What the numbers of a run are above the places of its rows.</summary>
    public long OffsetOf(int run) => offsets[run];

    /// <summary>The row behind a run; past all rows for the last.</summary>
    public int EndOf(int run) => run + 1 < starts.Length ? starts[run + 1] : int.MaxValue;
}
