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

        // All at once: the waits for memory of many look-ups overlap.
        var matches = new int[lefts.Count];
        rights.FindMany(lefts.Keys, matches);
        var matched = new bool[rights.Count];
        for (var group = 0; group < matches.Length; group++)
        {
            var match = matches[group];
            if (match >= 0) matched[match] = true;
            yield return result(lefts.KeyOf(group), lefts.ValuesOf(group).ToArray(), match < 0 ? [] : rights.ValuesOf(match).ToArray());
        }
        for (var group = 0; group < matched.Length; group++)
        {
            if (!matched[group]) yield return result(rights.KeyOf(group), [], rights.ValuesOf(group).ToArray());
        }
    }
}

internal static class GroupTables
{
    /// <summary>Puts all rows of some segments into a table, ready to be looked up.</summary>
    public static GroupTable<TKey, TValue> Build<TKey, TValue>(IReadOnlyList<InputSegment> segments)
    {
        using var reader = new SegmentReader<(TKey Key, TValue Value)>(segments);
        var table = new GroupTable<TKey, TValue>((int)Math.Min(reader.Rows, Array.MaxLength));
        while (reader.TryRead(out var chunk)) table.Add(chunk);
        table.Complete();
        return table;
    }
}
