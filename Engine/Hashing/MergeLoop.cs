using System.Reflection;
using System.Reflection.Emit;
using Dataflow.Fusion;

namespace Dataflow.Hashing;

/// <summary>Merges the values of a batch into those of their keys, by code that calls the user's functions directly.</summary>
/// <param name="create">What the call of the creating function needs; see <see cref="LambdaCall"/>.</param>
/// <param name="merge">What the call of the merging function needs.</param>
/// <param name="numbers">The number of each value's key.</param>
/// <param name="count">How many values; at least 1.</param>
/// <param name="next">The number of the first key that has no value yet; the numbers that follow are met in order.</param>
/// <param name="input">The first value.</param>
/// <param name="stride">Bytes from one value to the next.</param>
/// <param name="values">The value of key 0.</param>
internal delegate void MergeLoop<TIn, TValue>(
    object? create, object? merge, ref int numbers, int count, int next, ref TIn input, int stride, ref TValue values);

/// <summary>
/// The merge loop for one pair of functions: found when they are first used, written once enough values went the plain way. Calls of the
/// lambdas' own methods are inlined by the JIT; a delegate called from a table's shared code never would be.
/// </summary>
/// <param name="create">Makes a value of the first of a key, or null where that is the value itself.</param>
/// <param name="merge">Adds another.</param>
internal sealed class MergeCode<TIn, TValue>(Func<TIn, TValue>? create, Func<TValue, TIn, TValue> merge)
{
    private readonly LambdaCall _create = LambdaCall.Of(create);
    private readonly LambdaCall _merge = LambdaCall.Of(merge);
    private CachedKernel? _kernel;
    private MergeLoop<TIn, TValue>? _loop;

    /// <summary>Whether this is the code of the given functions.</summary>
    public bool IsOf(Func<TIn, TValue>? otherCreate, Func<TValue, TIn, TValue> otherMerge) =>
        ReferenceEquals(merge, otherMerge) && ReferenceEquals(create, otherCreate);

    /// <summary>Merges a batch, if the loop is written or due.</summary>
    /// <param name="warmUp">How many values are to go the plain way before a loop is written, in all tables together.</param>
    /// <returns>False if the batch is to go the plain way.</returns>
    public bool TryRun(ref int numbers, int count, int next, ref TIn input, int stride, ref TValue values, int warmUp)
    {
        if (_loop is null)
        {
            _kernel ??= KernelCache.Shared.Get([], typeof(MergeLoop<TIn, TValue>), [_create, _merge]);
            if (_kernel.IsCold(warmUp))
            {
                _kernel.Warm(count);
                return false;
            }
            _loop = _kernel.Code(Write);
        }
        _loop(_create.ArgumentOf(create), _merge.ArgumentOf(merge), ref numbers, count, next, ref input, stride, ref values);
        return true;
    }

    private MergeLoop<TIn, TValue> Write()
    {
        var parameters = typeof(MergeLoop<TIn, TValue>).GetMethod("Invoke")!.GetParameters();

        // No visibility checks: closure classes are private.
        var method = new DynamicMethod(
            "Dataflow.MergeLoop", null, Array.ConvertAll(parameters, parameter => parameter.ParameterType), typeof(MergeLoop<,>).Module, skipVisibility: true);
        var il = method.GetILGenerator();
        var createLambda = Load(il, OpCodes.Ldarg_0, _create);
        var mergeLambda = Load(il, OpCodes.Ldarg_1, _merge);
        var number = il.DeclareLocal(typeof(int));
        var value = il.DeclareLocal(typeof(TValue).MakeByRefType());
        Label top = il.DefineLabel(), isNew = il.DefineLabel(), advance = il.DefineLabel();

        // value = ref values[number of this input]
        il.MarkLabel(top);
        il.Emit(OpCodes.Ldarg_2);
        il.Emit(OpCodes.Ldind_I4);
        il.Emit(OpCodes.Stloc, number);
        il.Emit(OpCodes.Ldarg_S, (byte)7);
        il.Emit(OpCodes.Ldloc, number);
        il.Emit(OpCodes.Conv_I);
        il.Emit(OpCodes.Sizeof, typeof(TValue));
        il.Emit(OpCodes.Mul);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Stloc, value);
        il.Emit(OpCodes.Ldloc, number);
        il.Emit(OpCodes.Ldarg_S, (byte)4);
        il.Emit(OpCodes.Beq, isNew);

        // value = merge(value, input)
        il.Emit(OpCodes.Ldloc, value);
        if (mergeLambda is not null) il.Emit(OpCodes.Ldloc, mergeLambda);
        il.Emit(OpCodes.Ldloc, value);
        il.Emit(OpCodes.Ldobj, typeof(TValue));
        il.Emit(OpCodes.Ldarg_S, (byte)5);
        il.Emit(OpCodes.Ldobj, typeof(TIn));
        Call(il, _merge);
        il.Emit(OpCodes.Stobj, typeof(TValue));
        il.Emit(OpCodes.Br, advance);

        // value = create(input); next++
        il.MarkLabel(isNew);
        il.Emit(OpCodes.Ldloc, value);
        if (createLambda is not null) il.Emit(OpCodes.Ldloc, createLambda);
        il.Emit(OpCodes.Ldarg_S, (byte)5);
        il.Emit(OpCodes.Ldobj, typeof(TIn));
        if (create is not null) Call(il, _create);
        il.Emit(OpCodes.Stobj, typeof(TValue));
        Add(il, 4, () => il.Emit(OpCodes.Ldc_I4_1));

        il.MarkLabel(advance);
        Add(il, 2, () => il.Emit(OpCodes.Ldc_I4_4));
        Add(il, 5, () => il.Emit(OpCodes.Ldarg_S, (byte)6));
        Add(il, 3, () => il.Emit(OpCodes.Ldc_I4_M1));
        il.Emit(OpCodes.Ldarg_3);
        il.Emit(OpCodes.Brtrue, top);
        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<MergeLoop<TIn, TValue>>();
    }

    private static LocalBuilder? Load(ILGenerator il, OpCode argument, LambdaCall call)
    {
        if (call.Target is not { } target)
            return null;

        // Known to be of this type: no cast.
        var local = il.DeclareLocal(target);
        il.Emit(argument);
        il.Emit(OpCodes.Stloc, local);
        return local;
    }

    // Bound already, so a virtual method needs no second dispatch either.
    private static void Call(ILGenerator il, LambdaCall call) => il.Emit(call.Method is null ? OpCodes.Callvirt : OpCodes.Call, call.Callee);

    private static void Add(ILGenerator il, byte argument, Action amount)
    {
        il.Emit(OpCodes.Ldarg_S, argument);
        amount();
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Starg_S, argument);
    }
}
