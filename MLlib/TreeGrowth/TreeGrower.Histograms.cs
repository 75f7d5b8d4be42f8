using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>Histograms: made from rows, added up over threads.</summary>
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
                if (!rows.Layout.IsWide)
                {
                    HistogramKernel.AddRows(row, rows.RowBytes, columns, step, packed, place);
                    continue;
                }
                WideHistogramKernel.AddRows((ushort*)row, rows.RowBytes / sizeof(ushort), rows.Layout.FirstCell.AsSpan(firstColumn, columns), step, packed, target);
            }
        }
    }
}
