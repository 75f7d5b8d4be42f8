using Dataflow.Collectives;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>
/// What shards exchange. Two add up whole histograms, and both find the splits. Of more, each adds up some of the columns and finds their best splits, of which all
/// take the best: half the bytes, and the search is shared.
/// </summary>
internal sealed unsafe partial class TreeGrower
{
    // Longs that tell of a split, before the words of its bins.
    private const int SplitHead = 7;

    // By shard: the first of the columns that it adds up; and one past the last.
    private readonly int[] owned;

    // The most numbers that columns of one shard can have.
    private readonly int share;

    private readonly List<long[]> messages = [];

    /// <summary>Whether each shard adds up some columns only.</summary>
    private bool IsScattered => group.Shards > 2;

    /// <summary>The columns that this shard finds splits of.</summary>
    private (int From, int To) Searched => IsScattered ? (owned[group.Index], owned[group.Index + 1]) : (0, rows.Layout.Columns);

    /// <summary>Shares the columns out, about as many numbers to each shard.</summary>
    private static int[] Owned(int[] bins, int shards)
    {
        var total = bins.Sum(count => (long)count);
        var owned = new int[shards + 1];
        var column = 0;
        long before = 0;
        for (var shard = 1; shard <= shards; shard++)
        {
            while (column < bins.Length && (shard == shards || before + (bins[column] / 2) < total * shard / shards)) before += bins[column++];
            owned[shard] = column;
        }
        return owned;
    }

    /// <summary>Begins to add up over all shards what was made of some nodes: histograms and rows, in one exchange.</summary>
    /// <param name="place">Different for exchanges that are under way together.</param>
    private Exchange BeginReduce(ReadOnlySpan<GrowthNode> nodes, int place)
    {
        // Only numbers that occur travel; a column may have few. A shard's share: of each histogram its columns, and the rows of all nodes.
        var exchange = new Exchange([.. nodes]);
        var shares = IsScattered ? group.Shards : 1;
        var length = (exchange.Made.Length * share) + nodes.Length;
        var values = exchange.Values = Message(place, length * shares);
        for (var shard = 0; shard < shares; shard++)
        {
            var part = values.Span.Slice(shard * length, length);
            for (var i = 0; i < exchange.Made.Length; i++) Squeeze(pool[exchange.Made[i].Slot], OwnedBy(shard), part.Slice(i * share, share));
            for (var i = 0; i < nodes.Length; i++) part[length - nodes.Length + i] = nodes[i].Left!.Rows;
        }
        exchange.Pending = IsScattered ? group.BeginScatterSum(values.Span) : group.BeginReduceSum(values.Span);
        return exchange;
    }

    /// <summary>Waits for the sums.</summary>
    private void EndReduce(Exchange exchange)
    {
        var values = exchange.Values.Span;
        if (IsScattered)
        {
            group.EndScatterSum(exchange.Pending, values);
            var length = values.Length / group.Shards;
            values = values.Slice(group.Index * length, length);
        }
        else
        {
            group.EndReduceSum(exchange.Pending, values);
        }
        for (var i = 0; i < exchange.Made.Length; i++) Spread(values.Slice(i * share, share), OwnedBy(group.Index), pool[exchange.Made[i].Slot]);
        for (var i = 0; i < exchange.Nodes.Length; i++) SetCounts(exchange.Nodes[i], values[^(exchange.Nodes.Length - i)]);
    }

    /// <summary>Gives each node the best split that any shard found.</summary>
    private void ShareSplits(IReadOnlyList<GrowthNode> nodes)
    {
        if (!IsScattered) return;
        var found = new List<long>();
        foreach (var node in nodes)
        {
            var split = node.Split;
            found.AddRange([
                split.Feature, split.Bin, split.MissingLeft ? 1 : 0, BitConverter.DoubleToInt64Bits(split.Gain), BitConverter.DoubleToInt64Bits(split.ExtraL2), split.Left, split.LeftBins?.Length ?? -1,
            ]);
            foreach (var word in split.LeftBins ?? []) found.Add(word);
        }
        foreach (var theirs in group.AllGather<long>(found.ToArray()))
        {
            var next = 0;
            foreach (var node in nodes)
            {
                var head = theirs.AsSpan(next, SplitHead);
                var words = (int)head[^1];
                next += SplitHead + Math.Max(0, words);
                var split = new SplitCandidate
                {
                    Feature = (int)head[0], Bin = (int)head[1], MissingLeft = head[2] != 0, Gain = BitConverter.Int64BitsToDouble(head[3]), ExtraL2 = BitConverter.Int64BitsToDouble(head[4]),
                    Left = head[5],
                    LeftBins = words < 0 ? null : Array.ConvertAll(theirs[(next - words)..next], word => (uint)word),
                };
                if (split.IsBetterThan(node.Split)) node.Split = split;
            }
        }
    }

    private (int From, int To) OwnedBy(int shard) => IsScattered ? (owned[shard], owned[shard + 1]) : (0, rows.Layout.Columns);

    private Memory<long> Message(int place, int length)
    {
        while (messages.Count <= place) messages.Add([]);
        if (messages[place].Length < length) messages[place] = new long[length];
        return messages[place].AsMemory(0, length);
    }

    private void Squeeze(long* histogram, (int From, int To) columns, Span<long> values)
    {
        var layout = rows.Layout;
        for (var column = columns.From; column < columns.To; column++)
        {
            new Span<long>(histogram + layout.FirstCell[column], layout.BinsOf[column]).CopyTo(values);
            values = values[layout.BinsOf[column]..];
        }
    }

    private void Spread(ReadOnlySpan<long> values, (int From, int To) columns, long* histogram)
    {
        var layout = rows.Layout;
        for (var column = columns.From; column < columns.To; column++)
        {
            values[..layout.BinsOf[column]].CopyTo(new Span<long>(histogram + layout.FirstCell[column], layout.BinsOf[column]));
            values = values[layout.BinsOf[column]..];
        }
    }

    private void CountTogether(GrowthNode node)
    {
        var counts = new long[] { node.Left!.Rows };
        group.AllReduceSum(counts);
        SetCounts(node, counts[0]);
    }

    private static void SetCounts(GrowthNode node, long left)
    {
        node.Left!.Sums.Count = left;
        node.Right!.Sums.Count = node.Sums.Count - left;
    }

    /// <summary>Sums that are under way.</summary>
    private sealed class Exchange(GrowthNode[] nodes)
    {
        public GrowthNode[] Nodes => nodes;

        public GrowthNode[] Made { get; } = [.. nodes.SelectMany(node => node.Made)];

        public Memory<long> Values { get; set; }

        public PendingReduction Pending { get; set; }
    }
}
