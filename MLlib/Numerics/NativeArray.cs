using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dataflow.MLlib.Numerics;

/// <summary>
/// Memory outside the collected heap for large arrays that hot loops walk by pointer: aligned to 64 bytes, and on huge pages where the system has them, so that
/// gathers over tens of megabytes do not miss the address cache at every row.
/// </summary>
/// <remarks>Contents are arbitrary at first. Not safe to dispose while another thread reads it; the finalizer frees what was forgotten.</remarks>
internal sealed unsafe partial class NativeArray<T> : IDisposable
    where T : unmanaged
{
    private const long HugePageBytes = 2L << 20;
    private readonly long bytes;
    private readonly MappedMemory? mapped;
    private T* pointer;

    /// <summary>Takes memory.</summary>
    /// <param name="length">Elements.</param>
    /// <param name="folder">Where a temporary file holds it instead; null for memory.</param>
    public NativeArray(long length, string? folder = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;

        // Loops read whole vectors past the end of what they use.
        bytes = ((length * sizeof(T)) + 127) & ~63L;
        if (folder is not null)
        {
            mapped = new(folder, bytes);
            pointer = (T*)mapped.Pointer;
            return;
        }
        var huge = bytes >= 2 * HugePageBytes;
        pointer = (T*)NativeMemory.AlignedAlloc((nuint)bytes, huge ? (nuint)HugePageBytes : 64);
        if (huge) LargePages.Welcome((nint)pointer, bytes);
        GC.AddMemoryPressure(bytes);
    }

    ~NativeArray() => Free();

    /// <summary>How many elements.</summary>
    public long Length { get; }

    /// <summary>The first element.</summary>
    public T* Pointer
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => pointer;
    }

    public Span<T> Span(long start, int length) => new(pointer + start, length);

    public void Clear() => NativeMemory.Clear(pointer, (nuint)(Length * sizeof(T)));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (pointer is null) return;
        if (mapped is not null)
        {
            pointer = null;
            mapped.Dispose();
            return;
        }
        NativeMemory.AlignedFree(pointer);
        pointer = null;
        GC.RemoveMemoryPressure(bytes);
    }
}

/// <summary>Asks Linux for huge pages; elsewhere it does nothing.</summary>
internal static unsafe partial class LargePages
{
    private const int MadviseHugePage = 14;

    public static void Welcome(nint address, long bytes)
    {
        if (!OperatingSystem.IsLinux()) return;

        // Advice: a refusal changes nothing but time.
        _ = MAdvise(address, (nuint)bytes, MadviseHugePage);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MAdvise(nint address, nuint length, int advice);
}
