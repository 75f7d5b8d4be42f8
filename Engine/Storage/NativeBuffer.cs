using System.Buffers;
using System.Runtime.CompilerServices;

namespace Dataflow.Storage;

/// <summary>
/// One lease of a piece of the <see cref="NativePool"/>: memory outside the managed heap, aligned to 64 bytes, that never moves. The
/// memory goes back to the pool when its last lease is disposed.
/// </summary>
/// <remarks>
/// A lease belongs to one holder, who disposes it; whoever else keeps the memory takes an own lease with <see cref="Retain()"/>. Disposing
/// a lease twice does nothing. A disposed lease throws <see cref="ObjectDisposedException"/>, but spans and pointers taken from it
/// before are not checked: they must not outlive it. <c>Memory</c> serves asynchronous input and output, under the same rule.
/// </remarks>
public sealed unsafe class NativeBuffer : MemoryManager<byte>
{
    private readonly INativeOwner _owner;
    private readonly NativeBuffer _root;
    private readonly nint _block;
    private readonly int _class;
    private nint _pointer;
    private int _leases;

    internal NativeBuffer(INativeOwner owner, nint block, int length, long capacity, int sizeClass)
    {
        _owner = owner;
        _root = this;
        _block = block;
        _pointer = block;
        _class = sizeClass;
        _leases = 1;
        Length = length;
        Capacity = (int)capacity;
    }

    private NativeBuffer(NativeBuffer root, nint pointer, int length, int capacity)
    {
        _owner = root._owner;
        _root = root;
        _pointer = pointer;
        Length = length;
        Capacity = capacity;
    }

    /// <summary>Bytes asked for.</summary>
    public int Length { get; }

    /// <summary>Bytes there are and that the budget should be charged for: <see cref="Length"/> rounded up to the pool's size
    /// class.</summary>
    public int Capacity { get; }

    /// <summary>The first byte.</summary>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    public byte* Pointer
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            var pointer = _pointer;
            if (pointer == 0) ThrowEnded();
            return (byte*)pointer;
        }
    }

    /// <summary>The <see cref="Length"/> bytes.</summary>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    public Span<byte> Span => new(Pointer, Length);

    /// <summary>Whether it lies in a file: such memory is not of the budget.</summary>
    public bool IsMapped => _owner is Mapping.MappedMemory;

    /// <summary>Whether this lease has ended.</summary>
    public bool IsDisposed => _pointer == 0;

    /// <summary>Another lease of the same bytes.</summary>
    /// <exception cref="ObjectDisposedException">This lease has ended.</exception>
    public NativeBuffer Retain() => Retain(0, Length);

    /// <summary>A lease of a part of the bytes, which keeps all of them alive.</summary>
    /// <param name="start">First byte.</param>
    /// <param name="length">Number of bytes.</param>
    /// <exception cref="ObjectDisposedException">This lease has ended.</exception>
    public NativeBuffer Retain(int start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)start, (uint)Length, nameof(start));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)(Length - start), nameof(length));
        var pointer = (nint)Pointer;
        var root = _root;
        int leases;
        do
        {
            leases = Volatile.Read(ref root._leases);
            if (leases == 0) ThrowEnded();
        }
        while (Interlocked.CompareExchange(ref root._leases, leases + 1, leases) != leases);
        return new NativeBuffer(root, pointer + start, length, start == 0 ? Capacity : length);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => Span;

    /// <summary>A pinned handle; the memory never moves, so it only keeps this lease from being collected.</summary>
    public override MemoryHandle Pin(int elementIndex = 0) => new(Pointer + elementIndex, pinnable: this);

    /// <inheritdoc/>
    public override void Unpin() { }

    /// <summary>Ends this lease; the last one gives the memory back. Safe to call twice.</summary>
    public void Dispose() => Dispose(disposing: true);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _pointer, 0) == 0) return;
        var root = _root;
        if (Interlocked.Decrement(ref root._leases) == 0) _owner.Return(root, root._block, root.Capacity, root._class);
    }

    private void ThrowEnded() => throw new ObjectDisposedException(
        nameof(NativeBuffer), $"This lease of {Size.Of(Length)} has ended. Take an own lease with Retain before the first holder disposes it.");
}

/// <summary>Where buffers come from and go back to.</summary>
internal interface INativeOwner
{
    /// <summary>Takes a block back whose last lease has ended.</summary>
    void Return(NativeBuffer buffer, nint block, long capacity, int sizeClass);
}
