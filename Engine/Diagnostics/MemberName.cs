using System.Reflection;
using Dataflow.Serialization;

namespace Dataflow.Diagnostics;

/// <summary>Names a method as its author wrote it: the lambdas, local functions and state machines of a member carry that member's name.</summary>
internal static class MemberName
{
    /// <summary>The member's name: <c>Run</c> for <c>&lt;Run&gt;b__0</c> and for <c>&lt;Run&gt;d__1.MoveNext</c>.</summary>
    public static string Of(MethodBase method)
    {
        // The outermost name between angle brackets is the member; a state machine has it in its type's name, not its method's.
        for (var type = method.DeclaringType; ; type = type.DeclaringType)
        {
            var name = Inside(method.Name);
            if (name != method.Name || type is null)
                return name;
            if (!type.Name.StartsWith('<'))
                return method.Name is ".ctor" or ".cctor" ? type.Name.Split('`')[0] : method.Name;
            if (Inside(type.Name) is { Length: > 0 } member && member != type.Name)
                return member;
        }
    }

    /// <summary>The member with its type, as a frame is shown: <c>Orders.Load</c>, <c>lambda in Orders.Load</c>, <c>Parse in Orders.Load</c>.</summary>
    public static string Describe(MethodBase method)
    {
        var type = method.DeclaringType;
        var part = Part(method.Name);
        while (type is { DeclaringType: { } outer } && type.Name.StartsWith('<'))
        {
            part ??= Part(type.Name);
            type = outer;
        }

        var member = type is null ? Of(method) : $"{TypeNames.Short(type)}.{Of(method)}";
        return part is null ? member : $"{part} in {member}";
    }

    /// <summary>The name of the local function that a compiler-made name stands for (<c>&lt;Run&gt;g__Parse|0_1</c>), or null.</summary>
    public static string? LocalFunction(string name)
    {
        var start = name.LastIndexOf(">g__", StringComparison.Ordinal) + 4;
        return start < 4 ? null : name[start..name.IndexOf('|', start)];
    }

    /// <summary>Whether a compiler-made name stands for a lambda: <c>&lt;Run&gt;b__0_1</c>.</summary>
    public static bool IsLambda(string name) => name.Contains(">b__", StringComparison.Ordinal);

    private static string? Part(string name) => LocalFunction(name) ?? (IsLambda(name) ? "lambda" : null);

    private static string Inside(string name)
    {
        if (!name.StartsWith('<'))
            return name;

        // Lambdas inside local functions nest: <<Main>$>b__0_1. Top-level statements are <Main>$.
        var start = name.LastIndexOf('<', name.IndexOf('>')) + 1;
        return name[start..name.IndexOf('>', start)];
    }
}
