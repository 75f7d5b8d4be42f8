using System.Numerics;
using Dataflow.Storage;

namespace Dataflow.Mapping;

/// <summary>
/// Memory that lies in temporary files of the executor: for what lives long, may be larger than memory, and can be made again when the process is gone. It is not of the
/// <see cref="MemoryBudget"/>: the system keeps of it what has room, writes the rest out and reads it again when it is touched.
/// </summary>
/// <remarks>Buffers are as those of a <see cref="NativePool"/>: the same capacities, contents arbitrary. Small ones are cut from files of 4 MB, longer ones are files of their own; a file goes when nothing
/// of it is rented. Its room on the disk is taken when it is made. Thread-safe.</remarks>
/// <param name="folders">Where the files lie. On Unix they have no names there.</param>
public sealed class MappedMemory(TempFolders folders) : INativeOwner
{
    private const int SlabBytes = 4 << 20;
    private const int LeastOwnBytes = 1 << 20;

    private readonly Lock _lock = new();
    private readonly List<Slab?> _slabs = [];

    // By size class: those that have room.
    private readonly List<int>[] _open = [.. Enumerable.Range(0, BitOperations.Log2(LeastOwnBytes / NativePool.SmallestBytes)).Select(_ => new List<int>())];
    private long _bytes;

    /// <summary>Bytes of the files.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Rents a buffer.</summary>
    /// <param name="length">Bytes wanted.</param>
    /// <exception cref="TempFolderException">The disk has no room, or fails.</exception>
    public NativeBuffer Rent(int length)
    {
        var capacity = NativePool.CapacityOf(length);
        lock (_lock)
        {
            var number = capacity >= LeastOwnBytes ? Add(capacity, capacity) : Open(capacity);
            var slab = _slabs[number]!;
            var block = slab.Take();
            if (!slab.HasRoom && capacity < LeastOwnBytes) _open[ClassOf(capacity)].Remove(number);
            return new NativeBuffer(this, block, length, capacity, number);
        }
    }

    void INativeOwner.Return(NativeBuffer buffer, nint block, long capacity, int number)
    {
        lock (_lock)
        {
            var slab = _slabs[number]!;
            var hadRoom = slab.HasRoom;
            slab.Free(block);
            if (slab.IsEmpty)
            {
                if (hadRoom) _open[ClassOf((int)capacity)].Remove(number);
                _slabs[number] = null;
                Count(-slab.Bytes);
                slab.Dispose();
            }
            else if (!hadRoom)
            {
                _open[ClassOf((int)capacity)].Add(number);
            }
        }
    }

    private static int ClassOf(int capacity) => BitOperations.Log2((uint)(capacity / NativePool.SmallestBytes));

    private int Open(int capacity)
    {
        var open = _open[ClassOf(capacity)];
        if (open.Count == 0) open.Add(Add(SlabBytes, capacity));
        return open[^1];
    }

    private void Count(long bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        folders.CountMapped(bytes);
    }

    private int Add(int bytes, int capacity)
    {
        var slab = new Slab(folders.Map("state", bytes), bytes, capacity);
        Count(bytes);
        var number = _slabs.IndexOf(null);
        if (number < 0) _slabs.Add(slab);
        else _slabs[number] = slab;
        return number < 0 ? _slabs.Count - 1 : number;
    }

    /// <summary>A file, cut into buffers of one capacity.</summary>
    private sealed class Slab(IDiskMapping file, int bytes, int capacity) : IDisposable
    {
        private readonly Stack<nint> _free = new();
        private int _cut;
        private int _taken;

        public int Bytes => bytes;

        public bool IsEmpty => _taken == 0;

        public bool HasRoom => _free.Count > 0 || _cut + capacity <= bytes;

        public nint Take()
        {
            _taken++;
            if (_free.TryPop(out var block)) return block;
            block = file.Address + _cut;
            _cut += capacity;
            return block;
        }

        public void Free(nint block)
        {
            _taken--;
            _free.Push(block);
        }

        public void Dispose() => file.Dispose();
    }
}
