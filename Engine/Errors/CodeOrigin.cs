using System.Reflection;
using System.Runtime.CompilerServices;

namespace Dataflow.Errors;

/// <summary>Whose code a method is: the user's, ours, or .NET's. Decided by assembly, so a user's namespace may have any name.</summary>
internal static class CodeOrigin
{
    private static readonly Assembly Engine = typeof(CodeOrigin).Assembly;
    private static readonly Assembly CoreLibrary = typeof(object).Assembly;
    private static readonly ConditionalWeakTable<Assembly, object> Known = [];
    private static readonly object User = new(), Other = new();

    /// <summary>Whether the method is the user's own: neither ours, nor .NET's, nor emitted at run time.</summary>
    public static bool IsUsers(MethodBase method)
    {
        // Dynamic methods have no type and no source; a fused loop of ours is one.
        if (method.DeclaringType is null)
            return false;

        var assembly = method.Module.Assembly;
        if (assembly == Engine || assembly == CoreLibrary)
            return false;

        return ReferenceEquals(Known.GetValue(assembly, Classify), User);
    }

    /// <summary>Whether the assembly is one of the libraries that make up Dataflow.</summary>
    public static bool IsOurs(Assembly assembly) =>
        assembly == Engine || assembly.GetName().Name is "Dataflow.Engine" or "Dataflow.Sql" or "Dataflow.MLlib" or "Dataflow.Streaming";

    /// <summary>Whether the assembly belongs to .NET or ASP.NET Core.</summary>
    public static bool IsPlatform(Assembly assembly) =>
        assembly == CoreLibrary || assembly.GetName().Name is { } name
        && (name.StartsWith("System.", StringComparison.Ordinal) || name.StartsWith("Microsoft.", StringComparison.Ordinal)
            || name is "System" or "mscorlib" or "netstandard");

    private static object Classify(Assembly assembly) => assembly.IsDynamic || IsOurs(assembly) || IsPlatform(assembly) ? Other : User;
}
