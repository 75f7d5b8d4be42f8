using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.TreeBins;

/// <summary>The numbers that a shard's rows have in the whole data set: those of the first row and onwards, or a list where blocks do not follow each other.</summary>
internal sealed unsafe class RowNumbers : IDisposable
{
    private readonly long first;
    private readonly NativeArray<long>? list;

    private RowNumbers(long first, NativeArray<long>? list) => (this.first, this.list) = (first, list);

    /// <summary>The numbers one by one, or null if they are consecutive.</summary>
    public long* List => list is null ? null : list.Pointer;

    /// <summary>Consecutive numbers: the first.</summary>
    public long First => first;

    public long this[int row] => list is null ? first + row : list.Pointer[row];

    public static RowNumbers Of(IReadOnlyList<RowSource> blocks)
    {
        var used = blocks.Where(block => block.Rows > 0).ToArray();
        if (used.Length == 0) return new(0, null);
        var next = used[0].FirstRow;
        var consecutive = true;
        foreach (var block in used)
        {
            consecutive &= block.FirstRow == next;
            next = block.FirstRow + block.Rows;
        }
        if (consecutive) return new(used[0].FirstRow, null);
        var list = new NativeArray<long>(used.Sum(block => (long)block.Rows));
        var place = 0;
        foreach (var block in used)
        {
            for (var i = 0; i < block.Rows; i++) list.Pointer[place++] = block.FirstRow + i;
        }
        return new(0, list);
    }

    public void Dispose() => list?.Dispose();
}
