using System.Collections;
using System.Reflection;
using System.Reflection.Emit;

namespace Dataflow.Fusion;

// Expansions: inner loops that can stop at any element and go on there in the next call.
internal sealed partial class KernelEmitter
{
    private static readonly MethodInfo MoveNext = typeof(IEnumerator).GetMethod(nameof(IEnumerator.MoveNext))!;

    private readonly List<Level> _levels = [];
    private Label _suspend;
    private LocalBuilder? _budget;

    /// <summary>Goes on with each element of the sequence on the stack.</summary>
    /// <param name="type">Element type of the sequence.</param>
    /// <param name="carried">A field of the present element that the body of the sequence needs, or null.</param>
    /// <returns>Holds the carried value in the body.</returns>
    public LocalBuilder? Expand(Type type, string? carried = null)
    {
        var level = _levels[_levels.FindIndex(l => !l.Begun)];
        level.Begun = true;
        var sequence = Il.DeclareLocal(typeof(IEnumerable<>).MakeGenericType(type));
        Il.Emit(OpCodes.Stloc, sequence);
        if (carried is not null)
        {
            LoadElement(carried);
            Il.Emit(OpCodes.Stloc, level.Carried!);
        }

        // Arrays are walked in place, everything else by its enumerator.
        var iterates = Il.DefineLabel();
        Il.Emit(OpCodes.Ldloc, sequence);
        Il.Emit(OpCodes.Isinst, type.MakeArrayType());
        Il.Emit(OpCodes.Stloc, level.Array);
        Il.Emit(OpCodes.Ldloc, level.Array);
        Il.Emit(OpCodes.Brfalse, iterates);
        Il.Emit(OpCodes.Ldc_I4_0);
        Il.Emit(OpCodes.Stloc, level.Next);
        Il.Emit(OpCodes.Br, level.Pull);
        Il.MarkLabel(iterates);
        Il.Emit(OpCodes.Ldarg_0);
        Il.Emit(OpCodes.Ldloc, sequence);
        Il.Emit(OpCodes.Ldc_I4, level.Index);
        Il.Emit(OpCodes.Call, StateMethod(nameof(KernelState.Open), type));
        Il.Emit(OpCodes.Stloc, level.Iterator);

        EmitPull(level, type);
        Done = level.Pull;
        return level.Carried;
    }

    private void AddLevel(Type type, Type? carried, Label check)
    {
        if (_budget is null)
        {
            _suspend = Il.DefineLabel();
            _budget = Il.DeclareLocal(typeof(int));
            Il.Emit(OpCodes.Ldarg_0);
            Il.Emit(OpCodes.Ldfld, Field(nameof(KernelState.Budget)));
            Il.Emit(OpCodes.Stloc, _budget);
        }

        var level = new Level
        {
            Index = _levels.Count,
            Array = Il.DeclareLocal(type.MakeArrayType()),
            Next = Il.DeclareLocal(typeof(int)),
            Iterator = Il.DeclareLocal(typeof(IEnumerator<>).MakeGenericType(type)),
            Carried = carried is null ? null : Il.DeclareLocal(carried),
            Pull = Il.DefineLabel(),
            Outside = _levels.Count == 0 ? check : _levels[^1].Pull,
        };
        _levels.Add(level);
        LoadStateAndLevel(level);
        Il.Emit(OpCodes.Ldloca, level.Next);
        Il.Emit(OpCodes.Call, StateMethod(nameof(KernelState.TakeArray), type));
        Il.Emit(OpCodes.Stloc, level.Array);
        LoadStateAndLevel(level);
        Il.Emit(OpCodes.Call, StateMethod(nameof(KernelState.Iterator), type));
        Il.Emit(OpCodes.Stloc, level.Iterator);
        if (level.Carried is null) return;
        LoadStateAndLevel(level);
        Il.Emit(OpCodes.Call, StateMethod(nameof(KernelState.TakeCarried), carried!));
        Il.Emit(OpCodes.Stloc, level.Carried);
    }

    // The element that is taken is left in a new Element; the body follows.
    private void EmitPull(Level level, Type type)
    {
        var element = Il.DeclareLocal(type);
        var iterates = Il.DefineLabel();
        var arrayEnds = Il.DefineLabel();
        var moved = Il.DefineLabel();
        var body = Il.DefineLabel();

        Il.MarkLabel(level.Pull);
        Il.Emit(OpCodes.Ldloc, level.Array);
        Il.Emit(OpCodes.Brfalse, iterates);
        Il.Emit(OpCodes.Ldloc, level.Next);
        Il.Emit(OpCodes.Ldloc, level.Array);
        Il.Emit(OpCodes.Ldlen);
        Il.Emit(OpCodes.Conv_I4);
        Il.Emit(OpCodes.Bge_Un, arrayEnds);
        UseBudget();
        Il.Emit(OpCodes.Ldloc, level.Array);
        Il.Emit(OpCodes.Ldloc, level.Next);
        Il.Emit(OpCodes.Ldelem, type);
        Il.Emit(OpCodes.Stloc, element);
        Il.Emit(OpCodes.Ldloc, level.Next);
        Il.Emit(OpCodes.Ldc_I4_1);
        Il.Emit(OpCodes.Add);
        Il.Emit(OpCodes.Stloc, level.Next);
        Il.Emit(OpCodes.Br, body);

        Il.MarkLabel(arrayEnds);
        Il.Emit(OpCodes.Ldnull);
        Il.Emit(OpCodes.Stloc, level.Array);
        Il.Emit(OpCodes.Br, level.Outside);

        Il.MarkLabel(iterates);
        Il.Emit(OpCodes.Ldloc, level.Iterator);
        Il.Emit(OpCodes.Brfalse, level.Outside);
        UseBudget();
        Il.Emit(OpCodes.Ldloc, level.Iterator);
        Il.Emit(OpCodes.Callvirt, MoveNext);
        Il.Emit(OpCodes.Brtrue, moved);
        Il.Emit(OpCodes.Ldnull);
        Il.Emit(OpCodes.Stloc, level.Iterator);
        LoadStateAndLevel(level);
        Il.Emit(OpCodes.Call, typeof(KernelState).GetMethod(nameof(KernelState.Close), [typeof(int)])!);
        Il.Emit(OpCodes.Br, level.Outside);

        Il.MarkLabel(moved);
        Il.Emit(OpCodes.Ldloc, level.Iterator);
        Il.Emit(OpCodes.Callvirt, typeof(IEnumerator<>).MakeGenericType(type).GetProperty("Current")!.GetMethod!);
        Il.Emit(OpCodes.Stloc, element);
        Il.MarkLabel(body);
        Element = element;
    }

    private void UseBudget()
    {
        Il.Emit(OpCodes.Ldloc, _budget!);
        Il.Emit(OpCodes.Brfalse, _suspend);
        Il.Emit(OpCodes.Ldloc, _budget!);
        Il.Emit(OpCodes.Ldc_I4_1);
        Il.Emit(OpCodes.Sub);
        Il.Emit(OpCodes.Stloc, _budget!);
    }

    private void EmitSuspend(LocalBuilder current)
    {
        Il.MarkLabel(_suspend);
        foreach (var level in _levels)
        {
            LoadStateAndLevel(level);
            Il.Emit(OpCodes.Ldloc, level.Array);
            Il.Emit(OpCodes.Ldloc, level.Next);
            Il.Emit(OpCodes.Call, typeof(KernelState).GetMethod(nameof(KernelState.PutArray))!);
            if (level.Carried is null) continue;
            LoadStateAndLevel(level);
            Il.Emit(OpCodes.Ldloc, level.Carried);
            Il.Emit(OpCodes.Call, StateMethod(nameof(KernelState.PutCarried), level.Carried.LocalType));
        }
        Il.Emit(OpCodes.Ldarg_0);
        LoadDistance(current, 1, _in);
        Il.Emit(OpCodes.Stfld, Field(nameof(KernelState.Position)));
        Il.Emit(OpCodes.Ldarg_0);
        Il.Emit(OpCodes.Ldc_I4_1);
        Il.Emit(OpCodes.Stfld, Field(nameof(KernelState.Suspended)));
        _sink.EmitEnd(this);
        Il.Emit(OpCodes.Ret);
    }

    private void LoadStateAndLevel(Level level)
    {
        Il.Emit(OpCodes.Ldarg_0);
        Il.Emit(OpCodes.Ldc_I4, level.Index);
    }

    private static MethodInfo StateMethod(string name, Type argument) => typeof(KernelState).GetMethod(name)!.MakeGenericMethod(argument);

    /// <summary>One expansion of the kernel: where it is in its sequence, and where its loop begins.</summary>
    private sealed class Level
    {
        public required int Index { get; init; }

        public required LocalBuilder Array { get; init; }

        public required LocalBuilder Next { get; init; }

        public required LocalBuilder Iterator { get; init; }

        public required LocalBuilder? Carried { get; init; }

        public required Label Pull { get; init; }

        public required Label Outside { get; init; }

        public bool Begun { get; set; }
    }
}
