using Dataflow.Closures;

namespace Dataflow.Cluster;

/// <summary>
/// Assemblies that executors miss, since they are not among the program's files: what the program loaded from elsewhere while it runs, and what lies
/// beside that. Found by name among what is loaded, never by a path that was asked for.
/// </summary>
internal static class DriverAssemblies
{
    /// <summary>Opens the file of an assembly; null if this process has none of that name, or none with a file.</summary>
    /// <remarks>Looks through all loaded assemblies: meant for the rare assembly that is not staged.</remarks>
    /// <param name="name">A name of kind <see cref="BlockKind.Assembly"/>.</param>
    public static ServedBlock? Open(BlockName name)
    {
        var loaded = AppDomain.CurrentDomain.GetAssemblies()
            .Where(static assembly => !assembly.IsDynamic && assembly.Location.Length > 0 && !RuntimeCode.Brings(assembly))
            .ToArray();
        var path = loaded.FirstOrDefault(assembly => BlockName.Assembly(assembly.GetName().Name!) == name)?.Location
            ?? loaded.Select(static assembly => Path.GetDirectoryName(assembly.Location)!).Distinct()
                .SelectMany(static folder => Directory.EnumerateFiles(folder, "*.dll"))
                .FirstOrDefault(file => BlockName.Assembly(Path.GetFileNameWithoutExtension(file)) == name);
        return path is not null && File.Exists(path) ? ServedBlock.Of(File.ReadAllBytes(path)) : null;
    }
}
