using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.TreeSplits;

namespace Dataflow.MLlib.TreeGrowth;

/// <summary>Histograms of nodes that may still be split, in slots that are used again. Bounded: where there is no slot, a node goes without and its children's are
/// made from rows.</summary>
internal sealed unsafe class HistogramPool : IDisposable
{
    private readonly List<NativeArray<long>> slots = [];
    private readonly Stack<int> free = new();
    private readonly int most;

    /// <param name="cells">Cells of a histogram.</param>
    /// <param name="most">Slots at most.</param>
    public HistogramPool(int cells, int most)
    {
        Cells = cells;
        this.most = most;
    }

    public int Cells { get; }

    /// <summary>The cells of a slot.</summary>
    public long* this[int slot] => slots[slot].Pointer;

    /// <summary>A slot of arbitrary contents, or -1 if there is none left.</summary>
    public int Take()
    {
        if (free.TryPop(out var slot)) return slot;
        if (slots.Count >= most) return -1;
        slots.Add(new(Cells));
        return slots.Count - 1;
    }

    /// <summary>Gives a slot back; -1 is none.</summary>
    public void Return(int slot)
    {
        if (slot >= 0) free.Push(slot);
    }

    public void Dispose()
    {
        foreach (var slot in slots) slot.Dispose();
    }
}
