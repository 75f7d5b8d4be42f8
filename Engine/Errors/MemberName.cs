using System.Reflection;

namespace Dataflow.Errors;

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

    private static string Inside(string name)
    {
        if (!name.StartsWith('<'))
            return name;

        // Lambdas inside local functions nest: <<Main>$>b__0_1. Top-level statements are <Main>$.
        var start = name.LastIndexOf('<', name.IndexOf('>')) + 1;
        return name[start..name.IndexOf('>', start)];
    }
}
