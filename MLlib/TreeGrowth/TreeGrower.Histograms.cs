namespace Dataflow.MLlib.TreeGrowth;

/// <summary>Histograms: made from rows, added up over threads and shards.</summary>
internal sealed unsafe partial class TreeGrower
{
    /// <summary>Adds rows to a histogram by the whole team: each member into one of its own, which are added up by columns.</summary>
    private void MakeByTeam(GrowthNode node, Gradients gradients, long* target)
    {
        var list = node.Depth == 0 && node.Rows == rows.Rows ? null : Lists.Rows + node.Start;
        if (team.Size == 1 || node.Rows < 2048)
        {
            new Span<long>(target, cells).Clear();
            Make(list, 0, node.Rows, gradients, target, 0);
            return;
        }
        team.Share(team.Size, (piece, member) =>
        {
            var own = piece == 0 ? target : scratch[scratchSlots[piece - 1]];
            new Span<long>(own, cells).Clear();
            var from = (int)((long)node.Rows * piece / team.Size);
            var to = (int)((long)node.Rows * (piece + 1) / team.Size);
            Make(list is null ? null : list + from, from, to - from, gradients, own, member);
        });
        team.Run(piece =>
        {
            var from = (int)((long)cells * piece / team.Size) & ~7;
            var to = piece == team.Size - 1 ? cells : (int)((long)cells * (piece + 1) / team.Size) & ~7;
            foreach (var slot in scratchSlots) HistogramKernel.Add(target + from, scratch[slot] + from, to - from);
        });
    }

    /// <summary>Adds rows to a histogram.</summary>
    /// <param name="list">The rows, or null for <paramref name="first"/> and those after it.</param>
    /// <param name="member">Who does it.</param>
    private void Make(int* list, int first, int count, Gradients gradients, long* target, int member)
    {
        var packed = (long*)steps[member].Pointer;
        var gathered = steps[member].Pointer + (StepRows * sizeof(long));
        var shift = System.Numerics.BitOperations.Log2((uint)rows.RowBytes);
        for (var done = 0; done < count; done += StepRows)
        {
            var step = Math.Min(StepRows, count - done);
            gradients.Pack(list is null ? null : list + done, first + done, step, rows.Numbers, packed);
            for (var panel = 0; panel < rows.Panels; panel++)
            {
                var firstColumn = panel * rows.PanelColumns;
                var columns = Math.Min(rows.PanelColumns, rows.Layout.Columns - firstColumn);
                var place = target + rows.Layout.FirstCell[firstColumn];
                var row = rows.Panel(panel) + ((long)(first + done) << shift);
                if (list is not null) HistogramKernel.Gather(rows.Panel(panel), shift, list + done, step, row = gathered);
                if (rows.Layout.IsWide) WideHistogramKernel.AddRows((ushort*)row, rows.RowBytes / sizeof(ushort), rows.Layout.FirstCell.AsSpan(firstColumn, columns), step, packed, target);
                else HistogramKernel.AddRows(row, rows.RowBytes, columns, step, packed, place);
            }
        }
    }

    /// <summary>Begins to add up over all shards what was made of some nodes: histograms and rows, in one exchange.</summary>
    /// <param name="place">Different for exchanges that are under way together.</param>
    private Exchange BeginReduce(ReadOnlySpan<GrowthNode> nodes, int place)
    {
        // Only numbers that occur travel; a column may have few.
        var exchange = new Exchange([.. nodes]);
        var length = (exchange.Made.Length * travelling) + nodes.Length;
        while (messages.Count <= place) messages.Add([]);
        if (messages[place].Length < length) messages[place] = new long[length];
        var values = exchange.Values = messages[place].AsMemory(0, length);
        for (var i = 0; i < exchange.Made.Length; i++) Squeeze(pool[exchange.Made[i].Slot], values.Span.Slice(i * travelling, travelling));
        for (var i = 0; i < nodes.Length; i++) values.Span[length - nodes.Length + i] = nodes[i].Left!.Rows;
        exchange.Pending = group.BeginReduceSum(values.Span);
        return exchange;
    }

    /// <summary>Waits for the sums.</summary>
    private void EndReduce(Exchange exchange)
    {
        var values = exchange.Values.Span;
        group.EndReduceSum(exchange.Pending, values);
        for (var i = 0; i < exchange.Made.Length; i++) Spread(values.Slice(i * travelling, travelling), pool[exchange.Made[i].Slot]);
        for (var i = 0; i < exchange.Nodes.Length; i++) SetCounts(exchange.Nodes[i], values[^(exchange.Nodes.Length - i)]);
    }

    /// <summary>Sums that are under way.</summary>
    private sealed class Exchange(GrowthNode[] nodes)
    {
        public GrowthNode[] Nodes => nodes;

        public GrowthNode[] Made { get; } = [.. nodes.SelectMany(node => node.Made)];

        public Memory<long> Values { get; set; }

        public Dataflow.Collectives.PendingReduction Pending { get; set; }
    }

    private void Squeeze(long* histogram, Span<long> values)
    {
        var layout = rows.Layout;
        for (var column = 0; column < layout.Columns; column++)
        {
            new Span<long>(histogram + layout.FirstCell[column], layout.BinsOf[column]).CopyTo(values);
            values = values[layout.BinsOf[column]..];
        }
    }

    private void Spread(ReadOnlySpan<long> values, long* histogram)
    {
        var layout = rows.Layout;
        for (var column = 0; column < layout.Columns; column++)
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
}
