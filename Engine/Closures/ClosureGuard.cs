using Dataflow.Errors;

namespace Dataflow.Closures;

/// <summary>Refuses, when the plan is built, a lambda that can't do in a task what it says: local mode and a cluster must not differ in silence.</summary>
/// <remarks>
/// Two things are refused. A write of a captured variable: every worker has a copy of it. A read of what lives in the driver only
/// (<see cref="IDriverOnly"/>): by the declared type of the variable or, where that leaves it open, by its value now. Delegates that the
/// lambda captured and reads are checked too. What other lambdas of the same scope captured does not matter. Lambdas without IL at hand
/// (compiled expressions, ahead-of-time compilation) pass unchecked, as do writes to static fields and whatever ordinary methods do.
/// </remarks>
public static class ClosureGuard
{
    /// <summary>Checks a lambda given to a verb. Some tens of us for a new one, well below 1 us after that.</summary>
    /// <param name="lambda">The user's lambda. Every delegate of a combined one is checked.</param>
    /// <param name="operation">The verb, such as <c>Map</c>.</param>
    /// <param name="site">The verb's place, if it is known already; otherwise it is found when there is something to say.</param>
    /// <exception cref="ClosureException">The lambda writes a captured variable, or reads what lives in the driver only.</exception>
    public static void Check(Delegate lambda, string operation, CallSite? site = null)
    {
        ArgumentNullException.ThrowIfNull(lambda);
        if (lambda.HasSingleTarget && CapturesNothing(lambda))
            return;

        List<Delegate>? seen = null;
        if (Find(lambda, null, ref seen) is { } refusal)
        {
            site ??= CallSite.Here(operation, lambda);
            throw new ClosureException(refusal.Explain(lambda.Method, site), site);
        }
    }

    // Without a target there are no captures; <>c is the class, without fields, of lambdas that capture nothing.
    private static bool CapturesNothing(Delegate lambda) => lambda.Target is not { } target || target.GetType().Name == "<>c";

    private static ClosureRefusal? Find(Delegate lambda, CapturedVariable? heldIn, ref List<Delegate>? seen)
    {
        if (lambda.HasSingleTarget)
            return FindInOne(lambda, heldIn, ref seen);

        foreach (var one in lambda.GetInvocationList())
        {
            if (FindInOne(one, heldIn, ref seen) is { } refusal)
                return refusal;
        }

        return null;
    }

    private static ClosureRefusal? FindInOne(Delegate lambda, CapturedVariable? heldIn, ref List<Delegate>? seen)
    {
        if (CapturesNothing(lambda))
            return null;

        var target = lambda.Target;
        if (target is IDriverOnly)
            return ClosureRefusal.Uses("this", target.GetType(), heldIn);

        var capture = ClosureCapture.Of(lambda.Method);
        if (capture.Written is { } written)
            return ClosureRefusal.Writes(written, heldIn);
        if (capture.InDriverOnly is { } read)
            return ClosureRefusal.Uses(read.Name, read.Field.FieldType, heldIn);

        foreach (var variable in capture.KnownByValue)
        {
            switch (variable.ValueIn(target))
            {
                case IDriverOnly value:
                    return ClosureRefusal.Uses(variable.Name, value.GetType(), heldIn);
                case Delegate inner when seen is null || !seen.Contains(inner):
                    // A recursive lambda holds itself.
                    (seen ??= [lambda]).Add(inner);
                    if (Find(inner, heldIn ?? variable, ref seen) is { } refusal)
                        return refusal;
                    break;
            }
        }

        return null;
    }
}
