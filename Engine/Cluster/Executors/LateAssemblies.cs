using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;

namespace Dataflow.Cluster;

/// <summary>
/// Assemblies that the program loaded after it started, or from elsewhere than its own folder: fetched from the driver when code first needs them, and
/// loaded from a file, since code that is loaded from memory loses what was compiled ahead.
/// </summary>
internal sealed class LateAssemblies : IDisposable
{
    private readonly string _folder;
    private readonly Func<BlockName, ReadOnlyMemory<byte>?> _fetch;
    private readonly ConcurrentDictionary<string, Lazy<Assembly?>> _known = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="folder">Where their files are kept; made when the first is needed.</param>
    /// <param name="fetch">Asks the driver; null if it has no such assembly.</param>
    public LateAssemblies(string folder, Func<BlockName, ReadOnlyMemory<byte>?> fetch)
    {
        _folder = folder;
        _fetch = fetch;
        AssemblyLoadContext.Default.Resolving += Resolve;
    }

    /// <summary>Fetches no more. What is loaded stays.</summary>
    public void Dispose() => AssemblyLoadContext.Default.Resolving -= Resolve;

    private Assembly? Resolve(AssemblyLoadContext context, AssemblyName name)
    {
        // Translated texts are looked for under each culture, and mostly are not there.
        if (name.Name is not { } simple || !string.IsNullOrEmpty(name.CultureName)) return null;
        return _known.GetOrAdd(simple, missing => new Lazy<Assembly?>(() => Load(context, missing))).Value;
    }

    private Assembly? Load(AssemblyLoadContext context, string name)
    {
        if (_fetch(BlockName.Assembly(name)) is not { } bytes) return null;
        Directory.CreateDirectory(_folder);

        // The name came from the code of the application itself, and still is no path.
        var path = Path.Combine(_folder, $"{BlockName.Assembly(name).Hash}.dll");
        File.WriteAllBytes(path, bytes.ToArray());
        return context.LoadFromAssemblyPath(path);
    }
}
