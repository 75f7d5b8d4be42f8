using System.Runtime.InteropServices;

namespace Dataflow.TestKit;

/// <summary>Memory between two pages that may not be touched, so that code which reads or writes one byte outside ends the process.</summary>
/// <remarks>That is a harsh way to fail, but the only one that sees stray reads too. Spans are handed out at its very end or start. On
/// Windows the pages are not guarded.</remarks>
public sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int Page = 1 << 16;        // a multiple of every system's page
    private const int NoAccess = 0, ReadWrite = 3;
    private static readonly int PrivateAnonymous = OperatingSystem.IsMacOS() ? 0x1002 : 0x22;

    private readonly byte* mapping;
    private readonly nuint mapped;
    private readonly int length;

    /// <summary>Maps room for spans of up to <paramref name="length"/> bytes.</summary>
    public GuardedMemory(int length)
    {
        this.length = (length + Page - 1) / Page * Page;
        mapped = (nuint)this.length + 2 * Page;
        if (OperatingSystem.IsWindows())
        {
            mapping = (byte*)NativeMemory.AllocZeroed(mapped);
            return;
        }

        mapping = Map(null, mapped, ReadWrite, PrivateAnonymous, -1, 0);
        if (mapping == (byte*)-1 || Protect(mapping, Page, NoAccess) != 0 || Protect(mapping + Page + this.length, Page, NoAccess) != 0)
            throw new OutOfMemoryException($"Could not map {mapped} bytes of guarded memory (errno {Marshal.GetLastPInvokeError()}).");
    }

    /// <summary>Bytes that end where the forbidden page begins.</summary>
    public Span<byte> AtEnd(int count) => new(mapping + Page + length - count, count);

    /// <summary>Bytes that begin where the forbidden page ends.</summary>
    public Span<byte> AtStart(int count) => new(mapping + Page, Math.Min(count, length));

    /// <summary>A copy of these bytes that ends where the forbidden page begins.</summary>
    public Span<byte> CopyAtEnd(ReadOnlySpan<byte> data)
    {
        var copy = AtEnd(data.Length);
        data.CopyTo(copy);
        return copy;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (OperatingSystem.IsWindows())
            NativeMemory.Free(mapping);
        else
            _ = Unmap(mapping, mapped);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial byte* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
