namespace Dataflow.Storage;

/// <summary>The free buffers of one size, behind the caches of the processors. Made and called by <see cref="NativePool"/> only.</summary>
/// <remarks>Where the system can take the memory behind addresses back, buffers are cut from slabs and a trimmed one is only an address
/// (cold); elsewhere each buffer is an allocation of its own and a trimmed one is gone.</remarks>
internal sealed unsafe class NativeSizeClass(int bytes, NativePages pages, bool fill)
{
    private const int SlabBytes = 4 << 20;

    // Of smaller buffers few may be in use, and each slab of them would take 2 MB at the first touch.
    private const int SmallestHugeBytes = 64 << 10;

    private readonly Lock _lock = new();
    private readonly Stack<nint> _warm = new();
    private readonly Stack<nint> _cold = new();
    private readonly HashSet<nint> _slabs = [];
    private readonly int _slabBytes = pages.CanDiscard ? Math.Max(SlabBytes, bytes) : bytes;
    private nint _next;
    private nint _end;
    private long _warmBytes;
    private long _takenBytes;

    /// <summary>Bytes that are free here and still held from the system.</summary>
    public long WarmBytes => Interlocked.Read(ref _warmBytes);

    /// <summary>Bytes that went out and did not come back: rented, or in the cache of a processor.</summary>
    public long TakenBytes => Interlocked.Read(ref _takenBytes);

    public nint Pop()
    {
        lock (_lock)
        {
            if (_warm.TryPop(out var block))
            {
                _warmBytes -= bytes;
            }
            else
            {
                if (!_cold.TryPop(out block)) block = Carve();
                if (fill) new Span<byte>((void*)block, bytes).Fill(0xDD);
            }
            _takenBytes += bytes;
            return block;
        }
    }

    public void Push(nint block)
    {
        lock (_lock)
        {
            _warm.Push(block);
            _warmBytes += bytes;
            _takenBytes -= bytes;
        }
    }

    /// <summary>Gives back at least <paramref name="wanted"/> bytes, if there are so many.</summary>
    /// <returns>Bytes given back.</returns>
    public long Trim(long wanted)
    {
        lock (_lock)
        {
            var count = (int)Math.Min(_warm.Count, (wanted + bytes - 1) / bytes);
            if (count <= 0) return 0;
            var blocks = new nint[count];
            for (var i = 0; i < count; i++) blocks[i] = _warm.Pop();
            _warmBytes -= (long)count * bytes;
            if (pages.CanDiscard)
            {
                Discard(blocks);
            }
            else
            {
                foreach (var block in blocks)
                {
                    _slabs.Remove(block);
                    pages.Unmap(block, bytes);
                }
            }
            return (long)count * bytes;
        }
    }

    /// <summary>Unmaps everything if nothing of it is rented.</summary>
    public void ReleaseIfAllFree()
    {
        lock (_lock)
        {
            var carved = (long)_slabs.Count * _slabBytes - (_end - _next);
            if ((long)(_warm.Count + _cold.Count) * bytes != carved) return;
            foreach (var slab in _slabs) pages.Unmap(slab, _slabBytes);
            _slabs.Clear();
            _warm.Clear();
            _cold.Clear();
            _warmBytes = 0;
            _next = _end = 0;
        }
    }

    private nint Carve()
    {
        if (_next == _end)
        {
            _next = pages.Map(_slabBytes, huge: bytes >= SmallestHugeBytes);
            _end = _next + _slabBytes;
            _slabs.Add(_next);
        }
        var block = _next;
        _next += bytes;
        return block;
    }

    // Neighbours are given back in one call to the system.
    private void Discard(nint[] blocks)
    {
        Array.Sort(blocks);
        for (var i = 0; i < blocks.Length;)
        {
            var start = i++;
            while (i < blocks.Length && blocks[i] == blocks[i - 1] + bytes) i++;
            pages.Discard(blocks[start], (long)(i - start) * bytes);
        }
        // Lowest address on top: what is used again stays dense.
        for (var i = blocks.Length - 1; i >= 0; i--) _cold.Push(blocks[i]);
    }
}

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
