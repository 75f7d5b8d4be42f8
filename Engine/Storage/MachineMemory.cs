using System.Globalization;

namespace Dataflow.Storage;

/// <summary>How much memory this process may count on: the machine's, or its control group's if that is less.</summary>
/// <remarks>Own reading, since the runtime answers with its heap's limit where it has one: three quarters of a container by default.</remarks>
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
            // "0::/path" is version 2; "4:memory:/path" version 1. Within a container the path may be one of the host: then the root holds the limit.
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
