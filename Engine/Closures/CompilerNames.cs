using System.Reflection;

namespace Dataflow.Closures;

/// <summary>What the C# compiler's names say: state machines nested in a display class carry no attribute, only names with <c>&lt;</c>.</summary>
internal static class CompilerNames
{
    /// <summary>Whether a method was made by the compiler from the body of another: a lambda, a local function, part of a state machine.</summary>
    public static bool IsGenerated(MethodBase method) =>
        (method.Name[0] == '<' && method.Name != "<Clone>$") || (method.DeclaringType is { } type && IsGenerated(type));

    /// <summary>Whether a type holds captured variables or is a state machine; not an anonymous type or a file-local one.</summary>
    public static bool IsGenerated(Type type)
    {
        var name = type.Name;
        return name[0] == '<' && (name.StartsWith("<>c", StringComparison.Ordinal) || IsStateMachine(type));
    }

    /// <summary>Whether a type holds the captured variables of one scope.</summary>
    public static bool IsDisplayClass(Type type) => type.Name.StartsWith("<>c__DisplayClass", StringComparison.Ordinal);

    /// <summary>Whether a type is the state machine of an iterator or of an async method.</summary>
    public static bool IsStateMachine(Type type) => type.Name[0] == '<' && type.Name.Contains(">d", StringComparison.Ordinal);

    /// <summary>Whether a field leads from one capture object to the next: the outer scope's variables, or the <c>this</c> of the member.</summary>
    public static bool IsLink(FieldInfo field) =>
        field.Name.StartsWith("CS$<>8__locals", StringComparison.Ordinal) || field.Name == "<>4__this"
        || IsDisplayClass(field.FieldType);

    /// <summary>Whether a field is where a lambda keeps the delegate of an inner one: filled at first use, and of no concern to the user.</summary>
    public static bool IsDelegateCache(FieldInfo field) => field.Name.StartsWith("<>9", StringComparison.Ordinal);

    /// <summary>The name the user gave a field: that of the property behind a backing field, or of a primary constructor's parameter.</summary>
    public static string Variable(FieldInfo field)
    {
        var name = field.Name;
        if (name == "<>4__this")
            return "this";
        return name[0] == '<' && name.IndexOf('>') is > 1 and var end ? name[1..end] : name;
    }

    /// <summary>The field behind an automatic property, given one of its accessors; null for any other method.</summary>
    public static FieldInfo? BackingField(MethodBase accessor)
    {
        // An overridable accessor may be another one at run time.
        if (!accessor.IsSpecialName || (accessor.IsVirtual && !accessor.IsFinal) || accessor.DeclaringType is not { } type)
            return null;
        return accessor.Name.StartsWith("get_", StringComparison.Ordinal) || accessor.Name.StartsWith("set_", StringComparison.Ordinal)
            ? type.GetField($"<{accessor.Name[4..]}>k__BackingField", BindingFlags.Instance | BindingFlags.NonPublic)
            : null;
    }
}
