using System.Reflection;

namespace Dataflow.Fusion;

/// <summary>How a kernel calls a lambda: by its own method, which the JIT can inline, or else through the delegate.</summary>
/// <remarks>
/// The kernel takes what the call needs (the lambda's target, or the delegate) as an argument, so one kernel serves all delegates with the
/// same method, whatever they captured. Called through the delegate are those whose method can't stand in an instruction or would not mean
/// the same there: combined delegates, methods without metadata (compiled expressions), methods of structs (the target is boxed), open
/// instance methods, methods of interfaces, generic virtual ones, native ones, and code that may be unloaded, which a kernel would keep.
/// </remarks>
/// <param name="Method">The method to call, or null to invoke the delegate.</param>
/// <param name="Target">Type of what the kernel loads before the arguments, or null for nothing.</param>
internal readonly record struct LambdaCall(MethodInfo? Method, Type? Target)
{
    /// <summary>How to call a lambda. About 1 us the first time for a delegate.</summary>
    public static LambdaCall Of(Delegate? lambda)
    {
        if (lambda is null) return default;
        var throughDelegate = new LambdaCall(null, lambda.GetType());
        if (!lambda.HasSingleTarget) return throughDelegate;

        var method = lambda.Method;
        if (method.DeclaringType is not { } type || method.IsCollectible || (method.Attributes & MethodAttributes.PinvokeImpl) != 0)
            return throughDelegate;

        if (method.IsStatic)
        {
            // A static delegate may be closed over its first argument: an extension method given as lambda.
            var parameters = method.GetParameters();
            var closed = parameters.Length == ParametersOf(lambda.GetType()) + 1;
            if (!closed) return new LambdaCall(method, null);
            return parameters[0].ParameterType.IsValueType ? throughDelegate : new LambdaCall(method, parameters[0].ParameterType);
        }

        if (lambda.Target is null || type.IsValueType || type.IsInterface || method.IsAbstract || (method.IsVirtual && method.IsGenericMethod))
            return throughDelegate;
        return new LambdaCall(method, type);
    }

    /// <summary>What the kernel gets for this lambda.</summary>
    public object? ArgumentOf(Delegate? lambda) => Method is null ? lambda : lambda!.Target;

    /// <summary>The method that the instruction names.</summary>
    public MethodInfo Callee => Method ?? Target!.GetMethod("Invoke")!;

    private static int ParametersOf(Type delegateType) => delegateType.GetMethod("Invoke")!.GetParameters().Length;
}
