using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;

namespace Dataflow.Closures;

/// <summary>Finds assemblies among those this process has loaded, or can load from its own folder.</summary>
internal sealed class LoadedCode : ICodeResolver
{
    private readonly ConcurrentDictionary<AssemblyRef, Assembly> _found = new();

    public Assembly Resolve(AssemblyRef reference) => _found.GetOrAdd(reference, Find);

    private static Assembly Find(AssemblyRef reference)
    {
        Assembly? other = null;
        foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies())
        {
            if (assembly.IsDynamic || assembly.GetName().Name != reference.Name) continue;
            if (assembly.ManifestModule.ModuleVersionId == reference.Mvid) return assembly;
            other = assembly;
        }

        if (other is null)
        {
            try
            {
                other = AssemblyLoadContext.Default.LoadFromAssemblyName(new AssemblyName(reference.Name));
            }
            catch (Exception error) when (error is IOException or BadImageFormatException)
            {
                throw new CodeUnavailableException(
                    $"The assembly '{reference.Name}', which the driver's code needs, can't be loaded here: {error.Message} "
                    + "Start the executor from the application's own files, or add the assembly to them.", error);
            }
            if (other.ManifestModule.ModuleVersionId == reference.Mvid) return other;
        }

        var found = other.ManifestModule.ModuleVersionId;
        throw new CodeUnavailableException(
            $"The driver runs build {reference.Mvid} of '{reference.Name}', but here build {found} is loaded from '{other.Location}'. "
            + "Both must be the same file: remove the old copy.");
    }
}
