using System.Reflection;
using Dataflow.Errors;

namespace Dataflow.Closures;

/// <summary>Why a lambda is refused, and how to say it: what it does, where, what that would lead to, and what to do instead.</summary>
/// <param name="Deed">What the lambda does: <c>writes the captured variable 'count' (Int32)</c>.</param>
/// <param name="Advice">Why that can't be, and what to do instead; it continues the sentence.</param>
/// <param name="HeldIn">The captured delegate that does it, if it is not the lambda itself.</param>
internal sealed record ClosureRefusal(string Deed, string Advice, CapturedVariable? HeldIn)
{
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
            $"writes {(ofObject ? "the field" : "the captured variable")} '{variable.Name}' ({TypeName.Of(type)})",
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
                : $": a {TypeName.Of(held)} lives in the driver only. Take what the lambda needs from it before this verb, and capture that.";
        return new ClosureRefusal($"uses '{name}' ({TypeName.Of(type)}) inside a task", advice, heldIn);
    }

    /// <summary>The whole message.</summary>
    /// <param name="method">The method of the refused delegate.</param>
    /// <param name="site">The verb it was given to.</param>
    public string Explain(MethodInfo method, CallSite site)
    {
        var deed = HeldIn is null ? Deed : $"reads the delegate '{HeldIn.Name}', which {Deed}";
        return $"{Subject(method, site)} {deed}{Advice}";
    }

    private static string Subject(MethodInfo method, CallSite site)
    {
        if (method.Name.Contains(">b__", StringComparison.Ordinal))
            return $"The lambda in {site}";

        // A local function is <Member>g__Name|0_1.
        var local = method.Name.IndexOf(">g__", StringComparison.Ordinal);
        return local < 0
            ? $"The method '{method.Name}' given to {site}"
            : $"The local function '{method.Name[(local + 4)..method.Name.IndexOf('|', local)]}' given to {site}";
    }
}
