using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Emit;

namespace Dataflow.Sql.Lambdas;

/// <summary>Computes consecutive rows with a lambda whose body stands in the loop.</summary>
internal delegate void LambdaKernel<T1, R>(object? target, ref readonly T1 a1, ref R result, int count);

/// <inheritdoc cref="LambdaKernel{T1, R}"/>
internal delegate void LambdaKernel<T1, T2, R>(object? target, ref readonly T1 a1, ref readonly T2 a2, ref R result, int count);

/// <inheritdoc cref="LambdaKernel{T1, R}"/>
internal delegate void LambdaKernel<T1, T2, T3, R>(object? target, ref readonly T1 a1, ref readonly T2 a2, ref readonly T3 a3, ref R result, int count);

/// <inheritdoc cref="LambdaKernel{T1, R}"/>
internal delegate void LambdaKernel<T1, T2, T3, T4, R>(
    object? target, ref readonly T1 a1, ref readonly T2 a2, ref readonly T3 a3, ref readonly T4 a4, ref R result, int count);

/// <inheritdoc cref="LambdaKernel{T1, R}"/>
internal delegate void LambdaKernel<T1, T2, T3, T4, T5, R>(
    object? target, ref readonly T1 a1, ref readonly T2 a2, ref readonly T3 a3, ref readonly T4 a4, ref readonly T5 a5, ref R result, int count);

/// <summary>
/// Writes loops that call a lambda by its own method, which the JIT puts into the loop: what is left of a call through a delegate, about a nanosecond, is
/// what the body itself costs.
/// </summary>
internal static class LambdaKernels
{
    // Kernels of methods that can't be unloaded, so they may stay as well. A lambda of a program has one; there are as many as lambdas in its text.
    private static readonly ConcurrentDictionary<(MethodInfo Method, Type Kernel), Delegate> Made = [];

    /// <summary>The loop of a lambda; null if its method can't be called but through the delegate.</summary>
    /// <typeparam name="TKernel">A kind of <c>LambdaKernel</c> that fits the lambda.</typeparam>
    public static TKernel? Of<TKernel>(Delegate lambda) where TKernel : Delegate
    {
        var method = lambda.Method;
        if (!lambda.HasSingleTarget || method.DeclaringType is not { IsInterface: false } type || method.IsCollectible) return null;
        if ((method.Attributes & MethodAttributes.PinvokeImpl) != 0 || method.IsAbstract || (method.IsVirtual && !method.IsFinal)) return null;
        var isClosed = method.IsStatic
            ? method.GetParameters().Length != lambda.GetType().GetMethod("Invoke")!.GetParameters().Length
            : lambda.Target is null || type.IsValueType;
        return isClosed ? null : (TKernel)Made.GetOrAdd((method, typeof(TKernel)), static key => Write(key.Method, key.Kernel));
    }

    private static Delegate Write(MethodInfo method, Type kernel)
    {
        var parameters = kernel.GetMethod("Invoke")!.GetParameters();
        Type[] types = [.. parameters.Select(parameter => parameter.ParameterType)];
        // No visibility checks: closure classes are private.
        var made = new DynamicMethod("Dataflow.Lambda", typeof(void), types, typeof(LambdaKernels).Module, skipVisibility: true);
        var il = made.GetILGenerator();
        var target = method.IsStatic ? null : il.DeclareLocal(method.DeclaringType!);
        var row = il.DeclareLocal(typeof(nint));
        if (target is not null)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Castclass, target.LocalType);
            il.Emit(OpCodes.Stloc, target);
        }
        var (top, check) = (il.DefineLabel(), il.DefineLabel());
        il.Emit(OpCodes.Br, check);
        il.MarkLabel(top);
        var result = types.Length - 2;
        Element(result);
        if (target is not null) il.Emit(OpCodes.Ldloc, target);
        for (var i = 1; i < result; i++)
        {
            Element(i);
            il.Emit(OpCodes.Ldobj, types[i].GetElementType()!);
        }
        il.Emit(OpCodes.Call, method);
        il.Emit(OpCodes.Stobj, types[result].GetElementType()!);
        il.Emit(OpCodes.Ldloc, row);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Stloc, row);
        il.MarkLabel(check);
        il.Emit(OpCodes.Ldloc, row);
        il.Emit(OpCodes.Ldarg, result + 1);
        il.Emit(OpCodes.Conv_I);
        il.Emit(OpCodes.Blt, top);
        il.Emit(OpCodes.Ret);
        return made.CreateDelegate(kernel);

        // The address of the row in an argument.
        void Element(int argument)
        {
            il.Emit(OpCodes.Ldarg, argument);
            il.Emit(OpCodes.Ldloc, row);
            il.Emit(OpCodes.Sizeof, types[argument].GetElementType()!);
            il.Emit(OpCodes.Mul);
            il.Emit(OpCodes.Add);
        }
    }
}
