using System.Buffers.Text;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Dataflow.Storage;

/// <summary>Measures what this process takes: the figures that a <see cref="MemoryBudget"/> keeps to its bound.</summary>
internal class ProcessMemory
{
    // What the runtime and its code take where the system doesn't tell.
    private const long AssumedRuntimeBytes = 40L << 20;

    // One for the life of the process: it is also read on the finalizer's thread, where a closed handle would end the process.
    private static readonly SafeFileHandle? Statm = File.Exists("/proc/self/statm") ? File.OpenHandle("/proc/self/statm") : null;

    /// <summary>Bytes the managed heap holds from the system, garbage included. Costs 0.2 us.</summary>
    public virtual long HeapCommittedBytes =>
        Math.Max(GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes, GC.GetTotalMemory(forceFullCollection: false));

    /// <summary>Bytes of objects that survived the last collection.</summary>
    public virtual long HeapLiveBytes
    {
        get
        {
            var info = GC.GetGCMemoryInfo(GCKind.Any);
            return info.HeapSizeBytes - info.FragmentedBytes;
        }
    }

    /// <summary>Private resident memory in bytes: RssAnon on Linux (1 us), an estimate from the heap elsewhere.</summary>
    /// <param name="nativeBytes">What the native pool holds, for the estimate.</param>
    public virtual long PrivateResidentBytes(long nativeBytes)
    {
        if (Statm is null) return HeapCommittedBytes + nativeBytes + AssumedRuntimeBytes;

        // "size resident shared ..." in pages; private anonymous memory is what is resident and not backed by a file or shared.
        Span<byte> text = stackalloc byte[128];
        text = text[..RandomAccess.Read(Statm, text, 0)];
        Skip(ref text);
        var resident = Next(ref text);
        var shared = Next(ref text);
        return (resident - shared) * Environment.SystemPageSize;
    }

    /// <summary>How many collections there were.</summary>
    public virtual int Collections => GC.CollectionCount(0);

    /// <summary>How many of them collected the whole heap.</summary>
    public virtual int FullCollections => GC.CollectionCount(GC.MaxGeneration);

    /// <summary>Collects and compacts everything, and gives what is free back to the system. Pauses the process, in proportion to what is
    /// alive.</summary>
    public virtual void Collect() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    /// <summary>Memory that the process may count on: the machine's, or its container's if less, in bytes.</summary>
    public static long AvailableBytes => GC.GetGCMemoryInfo(GCKind.Any).TotalAvailableMemoryBytes;

    private static void Skip(ref Span<byte> text) => text = text[(text.IndexOf((byte)' ') + 1)..];

    private static long Next(ref Span<byte> text)
    {
        if (!Utf8Parser.TryParse(text, out long value, out _))
            throw new InvalidOperationException($"/proc/self/statm has an unknown form: '{System.Text.Encoding.ASCII.GetString(text)}'.");
        Skip(ref text);
        return value;
    }
}

/// <summary>How much memory this process may count on: the machine's, or its control group's if that is less.</summary>
/// <remarks>Own reading, since the runtime answers with its heap's limit where it has one: three quarters of a container by
/// default.</remarks>
internal static class MachineMemory
{
    /// <summary>Bytes.</summary>
    public static long Bytes { get; } = OperatingSystem.IsLinux()
        ? Read("/proc/meminfo", "/proc/self/cgroup", "/sys/fs/cgroup")
        : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    internal static long Read(string meminfo, string groups, string root)
    {
        var bytes = long.MaxValue;
        foreach (var line in Lines(meminfo))
        {
            if (line.StartsWith("MemTotal:", StringComparison.Ordinal)
                && Number(line["MemTotal:".Length..].Replace("kB", "", StringComparison.Ordinal)) is { } kilobytes)
            {
                bytes = kilobytes * 1024;
            }
        }
        foreach (var line in Lines(groups))
        {
            // "0::/path" is version 2; "4:memory:/path" version 1. Within a container the path may be one of the host: then the root holds
            // the limit.
            var parts = line.Split(':', 3);
            if (parts.Length != 3) continue;
            var (folder, file) = parts[1] switch
            {
                "" => (root, "memory.max"),
                var names when names.Split(',').Contains("memory") => (Path.Combine(root, "memory"), "memory.limit_in_bytes"),
                _ => ("", ""),
            };
            if (folder == "") continue;
            for (var path = parts[2].Trim('/'); ; path = Path.GetDirectoryName(path) ?? "")
            {
                foreach (var limit in Lines(Path.Combine(folder, path, file))) bytes = Math.Min(bytes, Number(limit) ?? long.MaxValue);
                if (path == "") break;
            }
        }
        return bytes == long.MaxValue ? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes : bytes;
    }

    private static string[] Lines(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllLines(file) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A sandbox that hides the file sets no limit that could be read.
            return [];
        }
    }

    private static long? Number(string text) =>
        long.TryParse(text.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0 ? value : null;
}
