using System.Runtime.InteropServices;

namespace Dataflow.Storage;

/// <summary>Where a <see cref="NativePool"/> gets its memory from: the one place that speaks to the operating system about it.</summary>
internal abstract unsafe partial class NativePages
{
    /// <summary>Whether <see cref="Discard"/> works, so that buffers can be cut from larger pieces and still be given back one by
    /// one.</summary>
    public abstract bool CanDiscard { get; }

    /// <summary>Takes memory; aligned to a page at least, contents arbitrary.</summary>
    /// <param name="bytes">How much.</param>
    /// <param name="huge">Whether huge pages are welcome: it will be used in large pieces.</param>
    public abstract nint Map(long bytes, bool huge);

    /// <summary>Gives back exactly what one <see cref="Map"/> took.</summary>
    public abstract void Unmap(nint address, long bytes);

    /// <summary>Gives the memory behind a range back but keeps its addresses, which read as zero when touched again.</summary>
    public abstract void Discard(nint address, long bytes);

    /// <summary>The best there is on this system.</summary>
    public static NativePages Create(bool hugePages) => OperatingSystem.IsLinux() ? new Linux(hugePages) : new Portable();

    /// <summary>What works everywhere.</summary>
    public static NativePages CreatePortable() => new Portable();

    /// <summary>Private anonymous mappings. Free buffers are given back with MADV_DONTNEED, which keeps their addresses.</summary>
    private sealed partial class Linux(bool hugePages) : NativePages
    {
        private const long HugePageBytes = 2L << 20;
        private const int ProtReadWrite = 3;
        private const int MapPrivateAnonymousNoReserve = 0x4022;
        private const int MadviseDontNeed = 4;
        private const int MadviseHugePage = 14;

        public override bool CanDiscard => true;

        public override nint Map(long bytes, bool huge)
        {
            // Huge pages start at multiples of their size only, so more is taken and its ends are cut off.
            var align = huge && hugePages && bytes >= HugePageBytes;
            var taken = align ? bytes + HugePageBytes : bytes;
            var address = MMap(0, (nuint)taken, ProtReadWrite, MapPrivateAnonymousNoReserve, -1, 0);
            if (address == -1)
            {
                throw new OutOfMemoryException(
                    $"The system refused {Size.Of(bytes)} of memory (mmap: {Marshal.GetLastPInvokeErrorMessage()}). "
                    + "Lower DataflowOptions.MemoryBytes, or raise the limit that the process runs under (ulimit -v, vm.max_map_count).");
            }
            if (!align) return address;

            var start = (address + (nint)HugePageBytes - 1) & ~((nint)HugePageBytes - 1);
            if (start > address) MUnmap(address, (nuint)(start - address));
            var end = start + (nint)bytes;
            var takenEnd = address + (nint)taken;
            if (takenEnd > end) MUnmap(end, (nuint)(takenEnd - end));
            MAdvise(start, (nuint)bytes, MadviseHugePage);
            return start;
        }

        public override void Unmap(nint address, long bytes) => MUnmap(address, (nuint)bytes);

        public override void Discard(nint address, long bytes)
        {
            // On systems with large base pages a small buffer may share its page with a neighbour that is in use.
            var page = (nint)Environment.SystemPageSize;
            var start = (address + page - 1) & ~(page - 1);
            var end = (address + (nint)bytes) & ~(page - 1);
            if (end > start) MAdvise(start, (nuint)(end - start), MadviseDontNeed);
        }

        [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
        private static partial nint MMap(nint address, nuint length, int protection, int flags, int file, nint offset);

        [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
        private static partial int MUnmap(nint address, nuint length);

        [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
        private static partial int MAdvise(nint address, nuint length, int advice);
    }

    /// <summary>The C library's allocator: works everywhere, gives back whole buffers only.</summary>
    private sealed class Portable : NativePages
    {
        public override bool CanDiscard => false;

        public override nint Map(long bytes, bool huge) => (nint)NativeMemory.AlignedAlloc((nuint)bytes, 4096);

        public override void Unmap(nint address, long bytes) => NativeMemory.AlignedFree((void*)address);

        public override void Discard(nint address, long bytes) { }
    }
}
