namespace Dataflow.MLlib.NeighborKernels;

/// <summary>
/// Floats that do not move and begin at a cache line: what kernels read by pointer. Freed by the garbage collector like any array; a kernel that holds
/// <see cref="Pointer"/> keeps the object alive with <see cref="GC.KeepAlive"/>.
/// </summary>
internal sealed unsafe class AlignedFloats
{
    private readonly float[] _array;
    private readonly int _first;

    public AlignedFloats(long length)
    {
        if (length > Array.MaxLength - 16)
        {
            throw new ArgumentException($"{length:N0} values do not fit one block of at most {Array.MaxLength - 16:N0}. Spread the rows over more partitions.");
        }
        Length = (int)length;
        _array = GC.AllocateArray<float>(Length + 16, pinned: true);
        fixed (float* start = _array)
        {
            _first = (int)((64 - ((nuint)start & 63)) & 63) / sizeof(float);
            Pointer = start + _first;
        }
    }

    public int Length { get; }

    public float* Pointer { get; }

    public Span<float> Span => _array.AsSpan(_first, Length);
}
