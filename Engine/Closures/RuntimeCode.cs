using System.Reflection;
using System.Runtime.CompilerServices;
using Dataflow.Diagnostics;
using Dataflow.Errors;

namespace Dataflow.Closures;

/// <summary>Tells the assemblies that come with .NET and ASP.NET Core, on every machine, from those that must travel.</summary>
/// <remarks>A name alone does not tell: packages are called System.Something too. The folder alone does not either: a self-contained
/// program has all in one.</remarks>
internal static class RuntimeCode
{
    private static readonly string? Folder = Path.GetDirectoryName(typeof(object).Assembly.Location);
    private static readonly ConditionalWeakTable<Assembly, StrongBox<bool>> Known = [];

    public static bool Brings(Assembly assembly) =>
        assembly == typeof(object).Assembly || Known.GetValue(assembly, static one => new StrongBox<bool>(IsBrought(one))).Value;

    private static bool IsBrought(Assembly assembly)
    {
        if (!CodeOrigin.IsPlatform(assembly)) return false;
        var path = assembly.Location;
        return path.Length == 0 || Path.GetDirectoryName(path) is not { } folder || folder == Folder
            || (SharedOf(folder) is { } shared && shared == SharedOf(Folder!));
    }

    // An installed .NET keeps its frameworks side by side: shared/(framework)/(version).
    private static string? SharedOf(string folder) =>
        Path.GetDirectoryName(Path.GetDirectoryName(folder)) is { } shared && Path.GetFileName(shared) == "shared" ? shared : null;
}
