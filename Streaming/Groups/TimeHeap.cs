using Dataflow.Storage;

namespace Dataflow.Streaming.Groups;

/// <summary>Rows by their times: the earliest first, of one time the older row. A binary heap of 16 bytes a row in memory of state, which goes to files where there is too little.</summary>
/// <param name="arena">Its memory.</param>
internal sealed unsafe class TimeHeap(TaskArena arena)
{
    private const int FirstRows = 256;

    private NativeBuffer? _buffer;
    private int _capacity;

    /// <summary>Rows.</summary>
    public int Count { get; private set; }

    private Timed* All => (Timed*)_buffer!.Pointer;

    /// <summary>Adds a row. Costs O(log rows), and O(1) where times come in order.</summary>
    public void Enqueue(int row, long time)
    {
        if (Count == _capacity) Grow();
        var all = All;
        var added = new Timed(time, row);
        var place = Count++;
        for (; place > 0 && added.IsBefore(all[(place - 1) / 2]); place = (place - 1) / 2) all[place] = all[(place - 1) / 2];
        all[place] = added;
    }

    /// <summary>The first row.</summary>
    /// <returns>False if there is none.</returns>
    public bool TryPeek(out int row, out long time)
    {
        (row, time) = Count > 0 ? (All->Row, All->Time) : default;
        return Count > 0;
    }

    /// <summary>Takes the first row out. Costs O(log rows).</summary>
    public void Dequeue()
    {
        var all = All;
        var last = all[--Count];
        var place = 0;
        while ((2 * place) + 1 < Count)
        {
            var next = (2 * place) + 1;
            if (next + 1 < Count && all[next + 1].IsBefore(all[next])) next++;
            if (!all[next].IsBefore(last)) break;
            all[place] = all[next];
            place = next;
        }
        all[place] = last;
    }

    /// <summary>Forgets all rows, and gives the memory back.</summary>
    public void Clear()
    {
        if (_buffer is not null) arena.Return(_buffer);
        (_buffer, _capacity, Count) = (null, 0, 0);
    }

    private void Grow()
    {
        var capacity = Math.Max(FirstRows, checked(_capacity * 2));
        var grown = arena.Rent(checked(capacity * sizeof(Timed)));
        if (_buffer is not null)
        {
            Buffer.MemoryCopy(_buffer.Pointer, grown.Pointer, grown.Length, (long)Count * sizeof(Timed));
            arena.Return(_buffer);
        }
        (_buffer, _capacity) = (grown, capacity);
    }

    private readonly struct Timed(long time, int row)
    {
        public long Time => time;

        public int Row => row;

        public bool IsBefore(Timed other) => time != other.Time ? time < other.Time : row < other.Row;
    }
}
