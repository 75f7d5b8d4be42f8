using Dataflow.Hashing;
using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>Gathers the values of each key of one input or two.</summary>
internal sealed class CoGroupReader<TKey, TLeft, TRight, TRow>(
    IReadOnlyList<InputSegment>[] left,
    IReadOnlyList<InputSegment>[] right,
    Func<TKey, TLeft[], TRight[], TRow> result,
    TaskContext context) : RangePairReader<TKey, TLeft, TRight, TRow>(left, right, context)
{
    protected override long RowsOfTable(long left, long right) => left + right;

    protected override ChunkReader<TRow> Open(IReadOnlyList<InputSegment> left, IReadOnlyList<InputSegment> right, TaskContext context) =>
        From(Groups(left, right));

    private IEnumerable<TRow> Groups(IReadOnlyList<InputSegment> left, IReadOnlyList<InputSegment> right)
    {
        using var lefts = GroupTables.Build<TKey, TLeft>(left);
        using var rights = GroupTables.Build<TKey, TRight>(right);
        for (var group = 0; group < lefts.Count; group++)
        {
            var key = lefts.KeyOf(group);
            var match = rights.Count == 0 ? -1 : rights.Find(key);
            yield return result(key, lefts.ValuesOf(group).ToArray(), match < 0 ? [] : rights.ValuesOf(match).ToArray());
        }
        for (var group = 0; group < rights.Count; group++)
        {
            var key = rights.KeyOf(group);
            if (lefts.Find(key) < 0) yield return result(key, [], rights.ValuesOf(group).ToArray());
        }
    }
}

internal static class GroupTables
{
    /// <summary>Puts all rows of some segments into a table, ready to be looked up.</summary>
    public static GroupTable<TKey, TValue> Build<TKey, TValue>(IReadOnlyList<InputSegment> segments)
    {
        var table = new GroupTable<TKey, TValue>();
        using var reader = new SegmentReader<(TKey Key, TValue Value)>(segments);
        while (reader.TryRead(out var chunk)) table.Add(chunk);
        table.Complete();
        return table;
    }
}
