using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Dataflow.Storage;

/// <summary>
/// All memory of the engine's data: caches, shuffle runs, tables, batches. It lies outside the managed heap, so that the garbage collector
/// neither walks nor moves it and its size is known to the byte.
/// </summary>
/// <remarks>
/// <para>Buffers come in size classes, powers of two from 4 KB to 4 MB; longer ones in steps of a quarter of one, taken from the system one by one. A rent or return
/// that finds the small cache of its processor ready costs some 30 ns and one small object. Contents of a rented buffer are
/// arbitrary.</para>
/// <para>Free buffers are kept up to <see cref="NativePoolOptions.IdleBytes"/>; the rest, and whatever <see cref="Trim"/> asks for, goes
/// back to the system. The pool itself sets no bound: who rents reserves in the <see cref="MemoryBudget"/> first.</para>
/// </remarks>
public sealed unsafe class NativePool : INativeOwner, IDisposable
{
    /// <summary>Bytes of the smallest buffer.</summary>
    public const int SmallestBytes = 4 << 10;

    /// <summary>Bytes of the largest buffer that is cut from a slab and cached by processor.</summary>
    public const int LargestBytes = 4 << 20;

    private const int ClassCount = 11;
    private const int LargeClass = -1;

    private readonly NativePages _pages;
    private readonly NativePoolOptions _options;
    private readonly NativeSizeClass[] _classes;
    private readonly NativeStripe[] _stripes;
    private readonly ConcurrentDictionary<NativeBuffer, string>? _owners;
    private readonly NativeLargeBlocks _large;
    private int _disposed;

    /// <summary>Makes an empty pool.</summary>
    /// <param name="options">Null for the defaults.</param>
    public NativePool(NativePoolOptions? options = null)
        : this(options ?? new NativePoolOptions(), null) { }

    internal NativePool(NativePoolOptions options, NativePages? pages)
    {
        _options = options;
        _pages = pages ?? NativePages.Create(options.HugePages);
        _classes = new NativeSizeClass[ClassCount];
        for (var i = 0; i < ClassCount; i++) _classes[i] = new NativeSizeClass(SmallestBytes << i, _pages, options.DebugFill);
        _large = new NativeLargeBlocks(_pages);
        _stripes = new NativeStripe[(int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(Environment.ProcessorCount, 64))];
        for (var i = 0; i < _stripes.Length; i++) _stripes[i] = new NativeStripe(ClassCount);
        if (options.TrackOwners) _owners = new ConcurrentDictionary<NativeBuffer, string>(ReferenceEqualityComparer.Instance);
    }

    /// <summary>Bytes rented and not yet returned, rounded up to size classes. Costs a read per processor.</summary>
    public long OutstandingBytes
    {
        get
        {
            var sum = _large.TakenBytes;
            foreach (var each in _classes) sum += each.TakenBytes;
            foreach (var stripe in _stripes) sum -= stripe.IdleBytes(SmallestBytes);
            return sum;
        }
    }

    /// <summary>Bytes of free buffers that are not given back to the system.</summary>
    public long IdleBytes
    {
        get
        {
            var sum = _large.IdleBytes;
            foreach (var each in _classes) sum += each.WarmBytes;
            foreach (var stripe in _stripes) sum += stripe.IdleBytes(SmallestBytes);
            return sum;
        }
    }

    /// <summary>How many bytes a buffer of a length takes, for reserving them.</summary>
    /// <param name="length">Bytes wanted.</param>
    public static int CapacityOf(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return length <= LargestBytes ? SmallestBytes << ClassOf(length) : NativeLargeBlocks.CapacityOf(length);
    }

    /// <summary>Rents a buffer. Its contents are arbitrary.</summary>
    /// <param name="length">Bytes wanted; 0 is allowed.</param>
    /// <param name="owner">Who rents it, for <see cref="LeakReport"/>.</param>
    /// <exception cref="OutOfMemoryException">The system refuses the memory.</exception>
    public NativeBuffer Rent(int length, string? owner = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        NativeBuffer buffer;
        if (length <= LargestBytes)
        {
            var sizeClass = ClassOf(length);
            var block = RentBlock(sizeClass);
            buffer = new NativeBuffer(this, block, length, SmallestBytes << sizeClass, sizeClass);
        }
        else
        {
            var capacity = CapacityOf(length);
            buffer = new NativeBuffer(this, _large.Pop(capacity), length, capacity, LargeClass);
        }
        if (_owners is not null) _owners[buffer] = owner ?? "(no owner given)";
        if (_options.DebugFill) new Span<byte>(buffer.Pointer, buffer.Capacity).Fill(0xCD);
        return buffer;
    }

    /// <summary>Gives free buffers back to the system.</summary>
    /// <param name="keepBytes">How many bytes of them to keep; 0 gives back all.</param>
    /// <returns>Bytes given back.</returns>
    public long Trim(long keepBytes = 0)
    {
        if (keepBytes == 0)
        {
            foreach (var stripe in _stripes) stripe.Flush(_classes);
        }
        var excess = IdleBytes - keepBytes;
        var freed = _large.Trim(excess);
        for (var i = ClassCount - 1; i >= 0 && freed < excess; i--) freed += _classes[i].Trim(excess - freed);
        return freed;
    }

    /// <summary>Who holds buffers, with sizes, largest first; needs <see cref="NativePoolOptions.TrackOwners"/> for names.</summary>
    /// <returns>Null if nothing is rented.</returns>
    public string? LeakReport()
    {
        var outstanding = OutstandingBytes;
        if (outstanding == 0) return null;
        var report = new StringBuilder().Append($"{Size.Of(outstanding)} of native buffers were not returned");
        if (_owners is null) return report.Append(". Set DATAFLOW_DEBUG_MEMORY=1 to see who rented them.").ToString();
        report.Append(':');
        foreach (var owner in _owners.GroupBy(pair => pair.Value, pair => (long)pair.Key.Capacity).OrderByDescending(group => group.Sum()).Take(20))
        {
            report.AppendLine().Append($"  {owner.Key}: {owner.Count()} buffers, {Size.Of(owner.Sum())}");
        }
        return report.ToString();
    }

    /// <summary>Gives all free memory back. Buffers that are still rented stay valid, and go back when they are returned.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        ReleaseAll();
    }

    void INativeOwner.Return(NativeBuffer buffer, nint block, long capacity, int sizeClass)
    {
        _owners?.TryRemove(buffer, out _);
        if (sizeClass == LargeClass)
        {
            if (_options.DebugFill) new Span<byte>((void*)block, (int)capacity).Fill(0xDD);
            _large.Push(block, (int)capacity);
            TrimExcess();
            if (Volatile.Read(ref _disposed) != 0) ReleaseAll();
            return;
        }

        if (_options.DebugFill) new Span<byte>((void*)block, (int)capacity).Fill(0xDD);
        var stripe = _stripes[Thread.GetCurrentProcessorId() & (_stripes.Length - 1)];
        if (!stripe.TryPush(sizeClass, block, capacity))
        {
            _classes[sizeClass].Push(block);
            TrimExcess();
        }
        if (Volatile.Read(ref _disposed) != 0) ReleaseAll();
    }

    private static int ClassOf(int length) =>
        length <= SmallestBytes ? 0 : BitOperations.Log2((uint)(length - 1)) - (BitOperations.Log2(SmallestBytes) - 1);

    private nint RentBlock(int sizeClass)
    {
        var stripe = _stripes[Thread.GetCurrentProcessorId() & (_stripes.Length - 1)];
        if (!stripe.TryPop(sizeClass, out var block)) block = _classes[sizeClass].Pop();
        if (_options.DebugFill) CheckUntouched(block, SmallestBytes << sizeClass);
        return block;
    }

    private void TrimExcess()
    {
        var idle = _large.IdleBytes;
        foreach (var each in _classes) idle += each.WarmBytes;
        if (idle <= _options.IdleBytes) return;

        // Half of the excess is kept, so that a task that rents and returns at the limit does not speak to the system each time.
        var allowed = Math.Max(_options.IdleBytes, OutstandingBytes / 4);
        if (idle > allowed) Trim(Math.Max(allowed / 2, 1));
    }

    private void ReleaseAll()
    {
        foreach (var stripe in _stripes) stripe.Flush(_classes);
        foreach (var each in _classes) each.ReleaseIfAllFree();
        _large.Trim(long.MaxValue);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CheckUntouched(nint block, int capacity)
    {
        var at = new ReadOnlySpan<byte>((void*)block, capacity).IndexOfAnyExcept((byte)0xDD);
        if (at < 0) return;
        throw new InvalidOperationException(
            $"Byte {at} of a native buffer of {Size.Of(capacity)} was written after its last lease ended. Somebody kept a span or pointer longer than "
            + "the lease it came from; DATAFLOW_DEBUG_MEMORY=1 and LeakReport show who rents buffers of this size.");
    }
}

/// <summary>How a <see cref="NativePool"/> behaves.</summary>
public sealed record NativePoolOptions
{
    /// <summary>Ask the system for huge pages (2 MB) behind buffers of 64 KB and more: the first touch of fresh memory is some five times
    /// faster and large tables miss the TLB less, at the price of taking memory in steps of 2 MB. Linux only, where the system allows it.
    /// Default on.</summary>
    public bool HugePages { get; init; } = true;

    /// <summary>Bytes of free buffers kept at hand before the rest is given back to the system. Default 64 MB, or a quarter of what is
    /// rented if that is more; a process with <see cref="DataflowOptions.MemoryBytes"/> keeps an eighth of them, or 64 MB if that is more.</summary>
    public long IdleBytes { get; init; } = 64L << 20;

    /// <summary>Fill rented buffers with 0xCD and returned ones with 0xDD, and check when a buffer is rented again that nobody wrote to it
    /// in between. Finds use after free; costs a pass over each buffer. Default: environment variable
    /// <c>DATAFLOW_DEBUG_MEMORY=1</c>.</summary>
    public bool DebugFill { get; init; } = FromEnvironment;

    /// <summary>Remember who rented each buffer, for <see cref="NativePool.LeakReport"/>. Default: environment variable
    /// <c>DATAFLOW_DEBUG_MEMORY=1</c>.</summary>
    public bool TrackOwners { get; init; } = FromEnvironment;

    // Memory that a process was given is kept for the next shuffle rather than taken from the system anew, page by page; the budget has free buffers
    // given back as soon as something else needs the room. A process that was given no bound shares the machine
    // with others, and keeps less.
    internal static NativePoolOptions Within(DataflowOptions options)
    {
        var pool = new NativePoolOptions { HugePages = options.HugePages };
        var kept = options.MemoryBytes is { } total ? total / 8 : MachineMemory.Bytes / 16;
        return pool with { IdleBytes = Math.Max(pool.IdleBytes, kept) };
    }

    private static bool FromEnvironment { get; } = Environment.GetEnvironmentVariable("DATAFLOW_DEBUG_MEMORY") == "1";
}
