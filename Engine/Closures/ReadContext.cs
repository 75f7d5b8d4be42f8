using System.Reflection;

namespace Dataflow.Closures;

/// <summary>Names an assembly that a graph needs and that .NET does not bring along.</summary>
/// <param name="Name">Its simple name.</param>
/// <param name="Mvid">The module version id: metadata tokens hold for exactly this build.</param>
/// <param name="Path">Where the driver loaded it from; empty for one that has no file, and on the reading side.</param>
internal readonly record struct AssemblyRef(string Name, Guid Mvid, string Path);

/// <summary>Finds the assemblies that a graph names.</summary>
internal interface ICodeResolver
{
    /// <summary>The assembly, loaded.</summary>
    /// <exception cref="CodeUnavailableException">It can't be had, or only in another build.</exception>
    Assembly Resolve(AssemblyRef reference);
}

/// <summary>Gives an executor the values of broadcasts.</summary>
internal interface IBroadcastSource
{
    /// <summary>The value, fetched at the first request in this process and then kept.</summary>
    T Get<T>(long id);
}

/// <summary>What reading a graph needs of the process it is read in.</summary>
/// <param name="code">Finds assemblies.</param>
internal sealed class ReadContext(ICodeResolver code)
{
    public ICodeResolver Code => code;

    /// <summary>Where the values of broadcasts come from; null if the graph can hold none.</summary>
    public IBroadcastSource? Broadcasts { get; init; }
}

/// <summary>An object that has something to do when it was read from a graph: what it could not bring along, it finds or makes anew.</summary>
internal interface ITraveller
{
    /// <summary>Called once, when the whole graph is read; objects it refers to may not have been called yet.</summary>
    void Arrived(ReadContext context);
}
