using System.Runtime.CompilerServices;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>
/// The nearest nodes met on a walk, nearest first, and which of them have been gone on from. One sorted array of numbers (distance, node, mark): a walk goes on from the first
/// without a mark, and ends when there is none.
/// </summary>
internal sealed unsafe class CandidatePool
{
    private const ulong Expanded = 1;
    private ulong[] _entries = new ulong[128];
    private int _size;

    public int Count { get; private set; }

    /// <summary>Begins with nothing.</summary>
    /// <param name="size">Most nodes that are kept.</param>
    public void Clear(int size)
    {
        if (_entries.Length < size + 1) _entries = new ulong[Math.Max(size + 1, _entries.Length * 2)];
        _size = size;
        Count = 0;
        Next = 0;
    }

    /// <summary>The first entry that may have no mark.</summary>
    public int Next { get; private set; }

    public uint DistanceAt(int index) => (uint)(_entries[index] >> 32);

    public int NodeAt(int index) => (int)((uint)_entries[index] >> 1);

    /// <summary>Larger than any distance that would still be kept.</summary>
    public ulong Limit => Count < _size ? ulong.MaxValue : _entries[Count - 1];

    /// <summary>Puts a node in, if it is near enough.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Offer(uint distance, int node)
    {
        var entry = ((ulong)distance << 32) | ((ulong)(uint)node << 1);
        if (Count == _size && entry > _entries[Count - 1]) return;
        Insert(entry);
    }

    private void Insert(ulong entry)
    {
        var count = Count == _size ? Count - 1 : Count;
        int low = 0, high = count;
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (_entries[middle] < entry) low = middle + 1;
            else high = middle;
        }
        Array.Copy(_entries, low, _entries, low + 1, count - low);
        _entries[low] = entry;
        Count = count + 1;
        if (low < Next) Next = low;
    }

    /// <summary>Takes the nearest node that has not been gone on from; -1 if there is none.</summary>
    public int TakeNext()
    {
        while (Next < Count)
        {
            ref var entry = ref _entries[Next++];
            if ((entry & Expanded) != 0) continue;
            entry |= Expanded;
            return (int)((uint)entry >> 1);
        }
        return -1;
    }
}
