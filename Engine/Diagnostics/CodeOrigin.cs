using System.Reflection;
using System.Runtime.CompilerServices;

namespace Dataflow.Diagnostics;

/// <summary>Whose code a method is: the user's, ours, or .NET's. Decided by assembly, so a user's namespace may have any name.</summary>
internal static class CodeOrigin
{
    private static readonly Assembly Engine = typeof(CodeOrigin).Assembly;
    private static readonly Assembly CoreLibrary = typeof(object).Assembly;
    private static readonly ConditionalWeakTable<Assembly, object> Known = [];
    private static readonly object User = new(), Ours = new(), Platform = new(), Emitted = new();

    /// <summary>Whether the method is the user's own: neither ours, nor .NET's, nor emitted at run time. About 20 ns.</summary>
    public static bool IsUsers(MethodBase method)
    {
        // Dynamic methods have no type and no source; a fused loop of ours is one.
        if (method.DeclaringType is null)
            return false;

        return Of(method.Module.Assembly) == User;
    }

    /// <summary>Whether the assembly is one of the libraries that make up Dataflow.</summary>
    public static bool IsOurs(Assembly assembly) => Of(assembly) == Ours;

    /// <summary>Whether the assembly belongs to .NET or ASP.NET Core.</summary>
    public static bool IsPlatform(Assembly assembly) => Of(assembly) == Platform;

    private static object Of(Assembly assembly) =>
        assembly == CoreLibrary ? Platform : assembly == Engine ? Ours : Known.GetValue(assembly, Classify);

    private static object Classify(Assembly assembly)
    {
        if (assembly.IsDynamic)
            return Emitted;

        var name = assembly.GetName().Name ?? "";
        if (name is "Dataflow.Engine" or "Dataflow.Sql" or "Dataflow.MLlib" or "Dataflow.Streaming")
            return Ours;
        return name is "System" or "mscorlib" or "netstandard" || name.StartsWith("System.", StringComparison.Ordinal)
            || name.StartsWith("Microsoft.", StringComparison.Ordinal) ? Platform : User;
    }
}
