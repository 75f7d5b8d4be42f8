using System.Numerics;

namespace Dataflow.Storage;

/// <summary>Free buffers above the size classes, by capacity: touching fresh memory costs more than most work that is done with it. Made and called by
/// <see cref="NativePool"/> only.</summary>
internal sealed class NativeLargeBlocks(NativePages pages)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, Stack<nint>> _idle = [];
    private long _idleBytes;
    private long _takenBytes;

    /// <summary>Bytes that are free here.</summary>
    public long IdleBytes => Interlocked.Read(ref _idleBytes);

    /// <summary>Bytes that are rented.</summary>
    public long TakenBytes => Interlocked.Read(ref _takenBytes);

    /// <summary>A length rounded up to the next step: four steps to each power of two.</summary>
    public static int CapacityOf(int length)
    {
        var step = 1L << (BitOperations.Log2((uint)(length - 1)) - 2);
        return (int)Math.Min((length + step - 1) & ~(step - 1), int.MaxValue);
    }

    /// <summary>A block of a capacity: a free one, or fresh memory.</summary>
    public nint Pop(int capacity)
    {
        lock (_lock)
        {
            if (_idle.TryGetValue(capacity, out var blocks) && blocks.TryPop(out var block))
            {
                Interlocked.Add(ref _idleBytes, -capacity);
                Interlocked.Add(ref _takenBytes, capacity);
                return block;
            }
        }
        var fresh = pages.Map(capacity, huge: true);
        Interlocked.Add(ref _takenBytes, capacity);
        return fresh;
    }

    public void Push(nint block, int capacity)
    {
        lock (_lock)
        {
            if (!_idle.TryGetValue(capacity, out var blocks)) _idle.Add(capacity, blocks = new Stack<nint>());
            blocks.Push(block);
            Interlocked.Add(ref _idleBytes, capacity);
            Interlocked.Add(ref _takenBytes, -capacity);
        }
    }

    /// <summary>Gives back at least <paramref name="wanted"/> bytes, if there are so many, the largest first.</summary>
    /// <returns>Bytes given back.</returns>
    public long Trim(long wanted)
    {
        var freed = 0L;
        lock (_lock)
        {
            foreach (var (capacity, blocks) in _idle.Reverse())
            {
                while (freed < wanted && blocks.TryPop(out var block))
                {
                    pages.Unmap(block, capacity);
                    freed += capacity;
                }
                if (freed >= wanted) break;
            }
            Interlocked.Add(ref _idleBytes, -freed);
        }
        return freed;
    }
}
