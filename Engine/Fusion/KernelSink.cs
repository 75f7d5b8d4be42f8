using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Dataflow.Fusion;

/// <summary>Where the elements of a run of operators end up. A kernel's last argument is the place for it.</summary>
/// <remarks>One instance writes one kernel.</remarks>
internal abstract class KernelSink(Delegate? lambda)
{
    /// <summary>The user's lambda, if any.</summary>
    public Delegate? Lambda { get; } = lambda;

    /// <summary>Whether a filter that is the last operation leaves to the sink what it does with elements it does not keep.</summary>
    public virtual bool TakesConditionally => false;

    /// <summary>Before the loop.</summary>
    public abstract void EmitBegin(KernelEmitter emitter);

    /// <summary>For each element.</summary>
    public abstract void EmitTake(KernelEmitter emitter);

    /// <summary>After the loop. Leaves the kernel's answer on the stack.</summary>
    public abstract void EmitEnd(KernelEmitter emitter);
}

/// <summary>What an action does with the elements of a partition: in a kernel, or with chunks that other readers give.</summary>
/// <typeparam name="T">Type of the elements.</typeparam>
/// <typeparam name="TResult">Type of the accumulator.</typeparam>
internal abstract class KernelSink<T, TResult>(Delegate? lambda) : KernelSink(lambda)
{
    /// <summary>Does with a chunk what the kernel does with its elements.</summary>
    /// <param name="chunk">The elements.</param>
    /// <param name="result">The accumulator.</param>
    /// <param name="any">Whether there has been an element yet; only a reduction needs to know.</param>
    public abstract void Take(ReadOnlySpan<T> chunk, ref TResult result, ref bool any);
}

/// <summary>Writes the elements one after the other: the output chunk of a reader.</summary>
/// <remarks>
/// Small elements after a filter are always written, and the place to write moves on only if the filter keeps the element. That costs one
/// write but no jump, which the processor would guess wrong for every other element of a filter that keeps half of them at random (5 ns).
/// Elements with references are not: what is dropped would stay in the buffer.
/// </remarks>
internal sealed class StoreSink<T>() : KernelSink(null)
{
    private LocalBuilder? _output;

    public override bool TakesConditionally => !RuntimeHelpers.IsReferenceOrContainsReferences<T>() && Unsafe.SizeOf<T>() <= 16;

    public override void EmitBegin(KernelEmitter emitter)
    {
        _output = emitter.Il.DeclareLocal(typeof(T).MakeByRefType());
        emitter.Il.Emit(OpCodes.Ldarg_3);
        emitter.Il.Emit(OpCodes.Stloc, _output);
    }

    public override void EmitTake(KernelEmitter emitter)
    {
        emitter.Il.Emit(OpCodes.Ldloc, _output!);
        emitter.LoadElement();
        emitter.Il.Emit(OpCodes.Stobj, typeof(T));
        if (emitter.Condition is null)
        {
            emitter.Advance(_output!, typeof(T));
            return;
        }

        emitter.Il.Emit(OpCodes.Ldloc, _output!);
        emitter.LoadCondition();
        emitter.Il.Emit(OpCodes.Conv_U);
        emitter.Il.Emit(OpCodes.Sizeof, typeof(T));
        emitter.Il.Emit(OpCodes.Conv_U);
        emitter.Il.Emit(OpCodes.Mul);
        emitter.Il.Emit(OpCodes.Add);
        emitter.Il.Emit(OpCodes.Stloc, _output!);
    }

    public override void EmitEnd(KernelEmitter emitter) => emitter.LoadDistance(_output!, 3, typeof(T));
}

/// <summary>Folds the elements into an accumulator, which stays in a register between them.</summary>
internal sealed class FoldSink<T, TAccumulate>(Func<TAccumulate, T, TAccumulate> update) : KernelSink<T, TAccumulate>(update)
{
    private LocalBuilder? _accumulator;

    public override void Take(ReadOnlySpan<T> chunk, ref TAccumulate result, ref bool any)
    {
        var accumulator = result;
        foreach (var item in chunk) accumulator = update(accumulator, item);
        result = accumulator;
    }

    public override void EmitBegin(KernelEmitter emitter)
    {
        _accumulator = emitter.Il.DeclareLocal(typeof(TAccumulate));
        emitter.Il.Emit(OpCodes.Ldarg_3);
        emitter.Il.Emit(OpCodes.Ldobj, typeof(TAccumulate));
        emitter.Il.Emit(OpCodes.Stloc, _accumulator);
    }

    public override void EmitTake(KernelEmitter emitter)
    {
        emitter.LoadLambda();
        emitter.Il.Emit(OpCodes.Ldloc, _accumulator!);
        emitter.LoadElement();
        emitter.CallLambda();
        emitter.Il.Emit(OpCodes.Stloc, _accumulator!);
    }

    public override void EmitEnd(KernelEmitter emitter)
    {
        emitter.Il.Emit(OpCodes.Ldarg_3);
        emitter.Il.Emit(OpCodes.Ldloc, _accumulator!);
        emitter.Il.Emit(OpCodes.Stobj, typeof(TAccumulate));
        emitter.Il.Emit(OpCodes.Ldc_I4_0);
    }
}

/// <summary>Counts the elements; without a jump for those that the last filter drops.</summary>
internal sealed class CountSink<T>() : KernelSink<T, long>(null)
{
    private LocalBuilder? _count;

    public override bool TakesConditionally => true;

    public override void Take(ReadOnlySpan<T> chunk, ref long result, ref bool any) => result += chunk.Length;

    public override void EmitBegin(KernelEmitter emitter)
    {
        _count = emitter.Il.DeclareLocal(typeof(long));
        emitter.Il.Emit(OpCodes.Ldarg_3);
        emitter.Il.Emit(OpCodes.Ldind_I8);
        emitter.Il.Emit(OpCodes.Stloc, _count);
    }

    public override void EmitTake(KernelEmitter emitter)
    {
        emitter.Il.Emit(OpCodes.Ldloc, _count!);
        if (emitter.Condition is null) emitter.Il.Emit(OpCodes.Ldc_I4_1);
        else emitter.LoadCondition();
        emitter.Il.Emit(OpCodes.Conv_I8);
        emitter.Il.Emit(OpCodes.Add);
        emitter.Il.Emit(OpCodes.Stloc, _count!);
    }

    public override void EmitEnd(KernelEmitter emitter)
    {
        emitter.Il.Emit(OpCodes.Ldarg_3);
        emitter.Il.Emit(OpCodes.Ldloc, _count!);
        emitter.Il.Emit(OpCodes.Stind_I8);
        emitter.Il.Emit(OpCodes.Ldc_I4_0);
    }
}

/// <summary>Merges the elements into one; the first one begins.</summary>
internal sealed class ReduceSink<T>(Func<T, T, T> merge) : KernelSink<T, T>(merge)
{
    private LocalBuilder? _result;
    private LocalBuilder? _any;

    public override void Take(ReadOnlySpan<T> chunk, ref T result, ref bool any)
    {
        foreach (var item in chunk)
        {
            result = any ? merge(result, item) : item;
            any = true;
        }
    }

    public override void EmitBegin(KernelEmitter emitter)
    {
        _result = emitter.Il.DeclareLocal(typeof(T));
        _any = emitter.Il.DeclareLocal(typeof(bool));
        emitter.Il.Emit(OpCodes.Ldarg_3);
        emitter.Il.Emit(OpCodes.Ldobj, typeof(T));
        emitter.Il.Emit(OpCodes.Stloc, _result);
        emitter.Il.Emit(OpCodes.Ldarg_0);
        emitter.Il.Emit(OpCodes.Ldfld, typeof(KernelState).GetField(nameof(KernelState.Any))!);
        emitter.Il.Emit(OpCodes.Stloc, _any);
    }

    public override void EmitTake(KernelEmitter emitter)
    {
        var merges = emitter.Il.DefineLabel();
        var taken = emitter.Il.DefineLabel();
        emitter.Il.Emit(OpCodes.Ldloc, _any!);
        emitter.Il.Emit(OpCodes.Brtrue, merges);
        emitter.LoadElement();
        emitter.Il.Emit(OpCodes.Stloc, _result!);
        emitter.Il.Emit(OpCodes.Ldc_I4_1);
        emitter.Il.Emit(OpCodes.Stloc, _any!);
        emitter.Il.Emit(OpCodes.Br, taken);
        emitter.Il.MarkLabel(merges);
        emitter.LoadLambda();
        emitter.Il.Emit(OpCodes.Ldloc, _result!);
        emitter.LoadElement();
        emitter.CallLambda();
        emitter.Il.Emit(OpCodes.Stloc, _result!);
        emitter.Il.MarkLabel(taken);
    }

    public override void EmitEnd(KernelEmitter emitter)
    {
        emitter.Il.Emit(OpCodes.Ldarg_3);
        emitter.Il.Emit(OpCodes.Ldloc, _result!);
        emitter.Il.Emit(OpCodes.Stobj, typeof(T));
        emitter.Il.Emit(OpCodes.Ldarg_0);
        emitter.Il.Emit(OpCodes.Ldloc, _any!);
        emitter.Il.Emit(OpCodes.Stfld, typeof(KernelState).GetField(nameof(KernelState.Any))!);
        emitter.Il.Emit(OpCodes.Ldc_I4_0);
    }
}

/// <summary>Calls an action on each element.</summary>
internal sealed class ForEachSink<T>(Action<T> action) : KernelSink<T, byte>(action)
{
    public override void Take(ReadOnlySpan<T> chunk, ref byte result, ref bool any)
    {
        foreach (var item in chunk) action(item);
    }

    public override void EmitBegin(KernelEmitter emitter)
    {
    }

    public override void EmitTake(KernelEmitter emitter)
    {
        emitter.LoadLambda();
        emitter.LoadElement();
        emitter.CallLambda();
    }

    public override void EmitEnd(KernelEmitter emitter) => emitter.Il.Emit(OpCodes.Ldc_I4_0);
}
