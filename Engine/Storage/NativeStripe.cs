namespace Dataflow.Storage;

/// <summary>A few free buffers of each size for the threads of one processor, so that they seldom meet at a lock.
/// Made and called by <see cref="NativePool"/> only.</summary>
internal sealed class NativeStripe
{
    private const int MostSlots = 16;
    private const int MostBytes = 512 << 10;

    private readonly nint[] _slots;
    private readonly int[] _counts;
    private int _taken;

    public NativeStripe(int classes)
    {
        _slots = new nint[classes * MostSlots];
        _counts = new int[classes];
    }

    public bool TryPop(int sizeClass, out nint block)
    {
        block = 0;
        if (!TryEnter()) return false;
        ref var count = ref _counts[sizeClass];
        var found = count > 0;
        if (found) block = _slots[sizeClass * MostSlots + --count];
        Exit();
        return found;
    }

    public bool TryPush(int sizeClass, nint block, long capacity)
    {
        if (!TryEnter()) return false;
        ref var count = ref _counts[sizeClass];
        var fits = count < MostSlots && count * capacity < MostBytes;
        if (fits) _slots[sizeClass * MostSlots + count++] = block;
        Exit();
        return fits;
    }

    public long IdleBytes(int smallest)
    {
        var sum = 0L;
        for (var i = 0; i < _counts.Length; i++) sum += (long)Volatile.Read(ref _counts[i]) * (smallest << i);
        return sum;
    }

    /// <summary>Moves everything to the shared free lists.</summary>
    public void Flush(NativeSizeClass[] classes)
    {
        var spin = new SpinWait();
        while (!TryEnter()) spin.SpinOnce();
        for (var i = 0; i < _counts.Length; i++)
        {
            while (_counts[i] > 0) classes[i].Push(_slots[i * MostSlots + --_counts[i]]);
        }
        Exit();
    }

    // A busy stripe is passed by, not waited for: its owner may have lost the processor.
    private bool TryEnter() => Interlocked.CompareExchange(ref _taken, 1, 0) == 0;

    private void Exit() => Volatile.Write(ref _taken, 0);
}
