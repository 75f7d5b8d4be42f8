using System.Reflection;
using System.Reflection.Emit;

namespace Dataflow.Fusion;

/// <summary>
/// Writes one loop that takes each element of a chunk through a run of operations to a sink. The operations say what they do with the
/// element by the members of this class; the loop around them is written here.
/// </summary>
/// <remarks>
/// <para>The shape without expansions: <c>for each element: operations; sink</c>, over plain references instead of spans or arrays,
/// which leaves no bounds checks and takes chunks in any kind of memory.</para>
/// <para>An expansion (a level) makes the rest of the loop body an inner loop over the sequence that its lambda gave: the element's path goes
/// on at the level's <i>body</i>; who is done with an element goes to the nearest <i>pull</i>, which takes the next one of the sequence
/// or, at its end, goes to the pull outside it. Taking uses up a budget; when it is gone, all levels are noted in the state and the
/// kernel returns. A call begins at the innermost pull: levels that are in no sequence fall through to the loop over the chunk.</para>
/// </remarks>
internal sealed partial class KernelEmitter
{
    private readonly DynamicMethod _method;
    private readonly Type _in;
    private readonly LambdaCall[] _calls;
    private readonly KernelSink _sink;
    private readonly LocalBuilder?[] _lambdas;
    private LocalBuilder? _current;
    private LocalBuilder? _end;
    private Label _top;
    private int _slot;

    private KernelEmitter(Type input, Type result, KernelSink sink, LambdaCall[] calls)
    {
        // No visibility checks: closure classes are private.
        _method = new DynamicMethod(
            "Dataflow.Kernel",
            typeof(int),
            [typeof(KernelState), input.MakeByRefType(), typeof(int), result.MakeByRefType()],
            typeof(KernelEmitter).Module,
            skipVisibility: true);
        Il = _method.GetILGenerator(256 + (48 * calls.Length));
        _in = input;
        _sink = sink;
        _calls = calls;
        _lambdas = new LocalBuilder?[calls.Length];
        Element = null!;
    }

    /// <summary>Where instructions go.</summary>
    public ILGenerator Il { get; }

    /// <summary>Holds the element as the operations so far made it.</summary>
    public LocalBuilder Element { get; private set; }

    /// <summary>Where to go when the element is done with: dropped by a filter, or taken by the sink.</summary>
    public Label Done { get; private set; }

    /// <summary>Holds whether the sink takes the element, if the last operation left that to it.</summary>
    public LocalBuilder? Condition { get; private set; }

    /// <summary>Writes and prepares a kernel.</summary>
    /// <param name="operations">At least none; the element types fit together.</param>
    /// <param name="sink">Takes what the last gives.</param>
    /// <param name="calls">How to call the lambda of each operation, and that of the sink.</param>
    public static ChunkKernel<TIn, TResult> Compile<TIn, TResult>(ReadOnlySpan<NarrowOperation> operations, KernelSink sink, LambdaCall[] calls)
    {
        var emitter = new KernelEmitter(typeof(TIn), typeof(TResult), sink, calls);
        emitter.Emit(operations);
        return emitter._method.CreateDelegate<ChunkKernel<TIn, TResult>>();
    }

    /// <summary>Loads what the call of the current lambda needs before its arguments, if anything.</summary>
    public void LoadLambda()
    {
        if (_lambdas[_slot] is { } local) Il.Emit(OpCodes.Ldloc, local);
    }

    /// <summary>Calls the current lambda, whose arguments have been loaded.</summary>
    public void CallLambda()
    {
        // Bound already, so a virtual method needs no second dispatch either.
        var call = _calls[_slot];
        Il.Emit(call.Method is null ? OpCodes.Callvirt : OpCodes.Call, call.Callee);
    }

    /// <summary>Loads the element.</summary>
    public void LoadElement() => Il.Emit(OpCodes.Ldloc, Element);

    /// <summary>Loads a field of the element.</summary>
    /// <param name="field">Name of a public field, such as <c>Item1</c> of a tuple.</param>
    public void LoadElement(string field)
    {
        LoadElement();
        Il.Emit(OpCodes.Ldfld, Element.LocalType.GetField(field)!);
    }

    /// <summary>Makes what is on the stack the element.</summary>
    public void StoreElement(Type type)
    {
        Element = Il.DeclareLocal(type);
        Il.Emit(OpCodes.Stloc, Element);
    }

    /// <summary>Makes a pair of the key and the value on the stack the element.</summary>
    public void StorePair(Type key, Type value)
    {
        var pair = typeof(ValueTuple<,>).MakeGenericType(key, value);
        Il.Emit(OpCodes.Newobj, pair.GetConstructor([key, value])!);
        StoreElement(pair);
    }

    /// <summary>Goes on with the element if the condition on the stack is true.</summary>
    public void KeepIf()
    {
        if (_slot == _calls.Length - 2 && _sink is { TakesConditionally: true })
        {
            Condition = Il.DeclareLocal(typeof(bool));
            Il.Emit(OpCodes.Stloc, Condition);
        }
        else if (_levels.Count > 0)
        {
            Il.Emit(OpCodes.Brfalse, Done);
        }
        else
        {
            // A loop end of its own for those that are dropped: one shared by both ways is what the JIT takes for the likely way, and it
            // moves the rest of the body out of the loop (0.9 ns an element instead of 0.7).
            var keep = Il.DefineLabel();
            Il.Emit(OpCodes.Brtrue, keep);
            Il.Emit(OpCodes.Ldloc, _current!);
            Il.Emit(OpCodes.Ldloc, _end!);
            Il.Emit(OpCodes.Blt_Un, _top);
            Il.Emit(OpCodes.Br, Done);
            Il.MarkLabel(keep);
        }
    }

    /// <summary>Loads <see cref="Condition"/> as 0 or 1.</summary>
    public void LoadCondition()
    {
        // Compared with 0, since true may be any other byte.
        Il.Emit(OpCodes.Ldloc, Condition!);
        Il.Emit(OpCodes.Ldc_I4_0);
        Il.Emit(OpCodes.Cgt_Un);
    }

    /// <summary>Moves a reference by one element.</summary>
    public void Advance(LocalBuilder reference, Type type)
    {
        Il.Emit(OpCodes.Ldloc, reference);
        Il.Emit(OpCodes.Sizeof, type);
        Il.Emit(OpCodes.Add);
        Il.Emit(OpCodes.Stloc, reference);
    }

    /// <summary>Loads how many elements lie between an argument's reference and a later one.</summary>
    public void LoadDistance(LocalBuilder reference, int argument, Type type)
    {
        Il.Emit(OpCodes.Ldloc, reference);
        Il.Emit(OpCodes.Ldarg, (short)argument);
        Il.Emit(OpCodes.Sub);
        Il.Emit(OpCodes.Sizeof, type);
        Il.Emit(OpCodes.Conv_I);
        Il.Emit(OpCodes.Div);
        Il.Emit(OpCodes.Conv_I4);
    }

    private void Emit(ReadOnlySpan<NarrowOperation> operations)
    {
        var current = _current = Il.DeclareLocal(_in.MakeByRefType());
        var end = _end = Il.DeclareLocal(_in.MakeByRefType());
        var check = Il.DefineLabel();
        var top = _top = Il.DefineLabel();

        LoadLambdas();
        foreach (var operation in operations)
        {
            if (operation.Expansion is { } expansion) AddLevel(expansion.Element, expansion.Carried, check);
        }
        Il.Emit(OpCodes.Ldarg_1);
        Il.Emit(OpCodes.Stloc, current);
        Il.Emit(OpCodes.Ldarg_1);
        Il.Emit(OpCodes.Ldarg_2);
        Il.Emit(OpCodes.Conv_I);
        Il.Emit(OpCodes.Sizeof, _in);
        Il.Emit(OpCodes.Mul);
        Il.Emit(OpCodes.Add);
        Il.Emit(OpCodes.Stloc, end);
        _sink.EmitBegin(this);
        Il.Emit(OpCodes.Br, _levels.Count == 0 ? check : _levels[^1].Pull);

        Il.MarkLabel(top);
        Done = check;
        Il.Emit(OpCodes.Ldloc, current);
        Il.Emit(OpCodes.Ldobj, _in);
        StoreElement(_in);
        Advance(current, _in);
        for (_slot = 0; _slot < operations.Length; _slot++) operations[_slot].Emit(this);
        _sink.EmitTake(this);
        Il.Emit(OpCodes.Br, Done);

        Il.MarkLabel(check);
        Il.Emit(OpCodes.Ldloc, current);
        Il.Emit(OpCodes.Ldloc, end);
        Il.Emit(OpCodes.Blt_Un, top);
        _sink.EmitEnd(this);
        Il.Emit(OpCodes.Ret);
        if (_levels.Count > 0) EmitSuspend(current);
    }

    private void LoadLambdas()
    {
        for (var i = 0; i < _calls.Length; i++)
        {
            if (_calls[i].Target is not { } target) continue;

            // Known to be of this type: no cast.
            _lambdas[i] = Il.DeclareLocal(target);
            Il.Emit(OpCodes.Ldarg_0);
            Il.Emit(OpCodes.Ldfld, Field(nameof(KernelState.Lambdas)));
            Il.Emit(OpCodes.Ldc_I4, i);
            Il.Emit(OpCodes.Ldelem_Ref);
            Il.Emit(OpCodes.Stloc, _lambdas[i]!);
        }
    }

    private static FieldInfo Field(string name) => typeof(KernelState).GetField(name)!;
}
