using System.Reflection;
using Dataflow.Diagnostics;
using Dataflow.Errors;
using Dataflow.Serialization;

namespace Dataflow.Closures;

/// <summary>Why a lambda is refused, and how to say it: what it does, where, what that would lead to, and what to do instead.</summary>
internal sealed class ClosureRefusal
{
    private readonly string _deed;
    private readonly string _advice;
    private readonly CapturedVariable? _heldIn;

    // The deed is "writes the captured variable 'count' (Int32)"; the advice continues the sentence. A captured delegate may be what does it.
    private ClosureRefusal(string deed, string advice, CapturedVariable? heldIn)
    {
        _deed = deed;
        _advice = advice;
        _heldIn = heldIn;
    }

    /// <summary>The lambda writes a variable whose copy in a task nobody will read.</summary>
    public static ClosureRefusal Writes(CapturedVariable variable, CapturedVariable? heldIn)
    {
        var type = variable.Field.FieldType;
        var ofObject = !CompilerNames.IsGenerated(variable.Owner.Type);
        var name = CompilerNames.Variable(variable.Field);
        var instead = Type.GetTypeCode(type) is >= TypeCode.SByte and <= TypeCode.UInt64 && !type.IsEnum
            ? $"Use context.Counter(\"{name}\") or an Accumulator instead."
            : "Use an Accumulator instead.";
        return new ClosureRefusal(
            $"writes {(ofObject ? "the field" : "the captured variable")} '{variable.Name}' ({Named(type)})",
            $". Each worker has its own copy{(ofObject ? " of the object" : "")}, so the driver would never see it. {instead}",
            heldIn);
    }

    /// <summary>The lambda uses an object that exists in the driver only.</summary>
    public static ClosureRefusal Uses(string name, Type type, CapturedVariable? heldIn)
    {
        var held = DriverOnly.In(type) ?? type;
        var advice = typeof(Rdd).IsAssignableFrom(held)
            ? ": Rdds live in the driver only. Collect it first, broadcast it, or join the two Rdds."
            : typeof(DataflowContext).IsAssignableFrom(held)
                ? ": contexts live in the driver only. Do that part before this verb, in the driver, and capture or broadcast its result."
                : $": a {Named(held)} lives in the driver only. Take what the lambda needs from it before this verb, and capture that.";
        return new ClosureRefusal($"uses '{name}' ({Named(type)}) inside a task", advice, heldIn);
    }

    /// <summary>The whole message.</summary>
    /// <param name="method">The method of the refused delegate.</param>
    /// <param name="site">The verb it was given to.</param>
    public string Explain(MethodInfo method, CallSite site)
    {
        var deed = _heldIn is null ? _deed : $"reads the delegate '{_heldIn.Name}', which {_deed}";
        return $"{Subject(method, site)} {deed}{_advice}";
    }

    private static string Subject(MethodInfo method, CallSite site)
    {
        if (MemberName.IsLambda(method.Name))
            return $"The lambda in {site}";
        return MemberName.LocalFunction(method.Name) is { } local
            ? $"The local function '{local}' given to {site}"
            : $"The method '{method.Name}' given to {site}";
    }

    // A primitive by the name .NET has for it, (Int32), which stands out as a type; all others as C# writes them, (Rdd<int>).
    private static string Named(Type type) => type.IsPrimitive ? type.Name : TypeNames.Short(type);
}
