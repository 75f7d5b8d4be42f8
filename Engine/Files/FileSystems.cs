using System.Collections.Concurrent;

namespace Dataflow.Files;

/// <summary>Which file system a path belongs to, by its scheme. Paths without one, and <c>file:</c>, are this machine's.</summary>
/// <remarks>The registry is per process. Register in a module initializer or static constructor of an assembly that every process of the
/// application loads; in the driver's <c>Main</c> alone, other processes would not know.</remarks>
public static class FileSystems
{
    private static readonly ConcurrentDictionary<string, IFileSystem> Registered = new() { ["file"] = LocalFileSystem.Instance };

    /// <summary>This machine's file system.</summary>
    public static IFileSystem Local => LocalFileSystem.Instance;

    /// <summary>The file system of a path.</summary>
    /// <param name="path">A full path, or one as the user wrote it.</param>
    /// <exception cref="ArgumentException">Nothing is registered for its scheme; the message lists what is.</exception>
    public static IFileSystem For(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (FilePath.SchemeOf(path) is not { } scheme) return LocalFileSystem.Instance;
        if (Registered.TryGetValue(scheme, out var found)) return found;
        throw new ArgumentException(
            $"No file system is registered for '{scheme}://' ({path}). Registered: "
            + $"{string.Join(", ", Registered.Keys.Order(StringComparer.Ordinal).Select(known => known + "://"))}. "
            + "Register one with FileSystems.Register before the path is used.", nameof(path));
    }

    /// <summary>Uses a file system for all paths of a scheme; one registered before is replaced.</summary>
    /// <param name="scheme">Such as <c>hdfs</c>: two characters at least, a letter first; case does not matter.</param>
    /// <param name="fileSystem">Used by many threads at once.</param>
    public static void Register(string scheme, IFileSystem fileSystem)
    {
        ArgumentException.ThrowIfNullOrEmpty(scheme);
        ArgumentNullException.ThrowIfNull(fileSystem);
        if (FilePath.SchemeOf(scheme + "://") is not { } known)
            throw new ArgumentException($"'{scheme}' can't be a scheme: it needs two characters at least, letters, digits, +, - and ., a letter first.", nameof(scheme));
        Registered[known] = fileSystem;
    }

    /// <summary>Makes a full path of what the user wrote, relative to the working folder of this process.</summary>
    /// <param name="path">As the user wrote it; may hold glob characters.</param>
    public static string Resolve(string path) => For(path).Resolve(path, Environment.CurrentDirectory);
}
