using System.Security.Cryptography;

namespace Dataflow.Cluster;

/// <summary>The files that the application's code consists of, by content: what an executor is started from.</summary>
/// <remarks>
/// Every assembly in the program's folder, the program's own and Dataflow's included, so that executor and driver always run the same
/// build. Files of the runtime are not among them.
/// </remarks>
internal sealed class ApplicationFiles
{
    private readonly Dictionary<string, string> _paths = new(StringComparer.Ordinal);

    /// <summary>Reads and hashes the files: some ms for each 10 MB.</summary>
    /// <param name="folder">The folder of the program; null for that of this process.</param>
    public ApplicationFiles(string? folder = null)
    {
        folder = Path.GetFullPath(folder ?? AppContext.BaseDirectory);
        var files = new List<CodeFile>();
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (!IsCode(path)) continue;
            using var file = File.OpenRead(path);
            var hash = Convert.ToHexStringLower(SHA256.HashData(file));
            files.Add(new CodeFile(Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/'), hash, file.Length));
            _paths[hash] = path;
        }
        Files = files;
    }

    /// <summary>The files, by path.</summary>
    public IReadOnlyList<CodeFile> Files { get; }

    /// <summary>Opens a file; null if it is none of them. A hash is looked up, never made into a path.</summary>
    public ServedBlock? Open(string hash) => _paths.TryGetValue(hash, out var path) && File.Exists(path) ? ServedBlock.Of(File.ReadAllBytes(path)) : null;

    private static bool IsCode(string path) => Path.GetExtension(path) is ".dll" or ".so" or ".dylib";
}
