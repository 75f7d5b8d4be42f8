using System.Reflection;
using System.Runtime.InteropServices;
using Dataflow.Diagnostics;
using Dataflow.Errors;

namespace Dataflow.Closures;

/// <summary>One method as <see cref="ClosureScan"/> reads it: a stack machine over its IL, with what is known of its arguments and locals.</summary>
internal sealed class MethodScan(ClosureScan scan, MethodBase method, object?[] arguments)
{
    private readonly Module _module = method.Module;
    private readonly Type[]? _typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
    private readonly Type[]? _methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
    private readonly object?[] _given = arguments;
    private readonly List<object?> _stack = [];
    private Waiting? _waiting;
    private object?[] _arguments = arguments;
    private object?[] _locals = [];

    /// <summary>The method.</summary>
    public MethodBase Method => method;

    /// <summary>Whether this is that method called with these values: it is read once for each way it is called.</summary>
    public bool IsOf(MethodBase other, object?[] with)
    {
        if (method != other || _given.Length != with.Length)
            return false;
        for (var i = 0; i < with.Length; i++)
        {
            if (!ReferenceEquals(_given[i], with[i]))
                return false;
        }

        return true;
    }

    /// <summary>Reads the method from front to back.</summary>
    public void Read(byte[] il)
    {
        var reader = new IlReader(il);
        var reached = true;
        while (reader.Read())
        {
            if (_waiting is not null || !reached)
                Arrive(reader.Offset, reached);
            Step(ref reader);
            reached = !reader.EndsBlock;
        }
    }

    private void Step(ref IlReader reader)
    {
        switch (reader.Opcode)
        {
            case >= Il.Ldarg0 and <= Il.Ldarg3:
                Push(At(_arguments, reader.Opcode - Il.Ldarg0));
                break;
            case Il.LdargShort or Il.Ldarg:
                Push(At(_arguments, reader.Index()));
                break;
            case Il.StargShort or Il.Starg:
                // What the method was given is also what it is known by, and stays as it is.
                _arguments = [.. _arguments];
                Put(ref _arguments, reader.Index(), Pop());
                break;
            case >= Il.Ldloc0 and <= Il.Ldloc3:
                Push(At(_locals, reader.Opcode - Il.Ldloc0));
                break;
            case Il.LdlocShort or Il.Ldloc:
                Push(At(_locals, reader.Index()));
                break;
            case >= Il.Stloc0 and <= Il.Stloc3:
                Put(ref _locals, reader.Opcode - Il.Stloc0, Pop());
                break;
            case Il.StlocShort or Il.Stloc:
                Put(ref _locals, reader.Index(), Pop());
                break;
            case Il.Dup:
                Push(_stack.Count > 0 ? _stack[^1] : null);
                break;
            case Il.Castclass or Il.Isinst:
                break;
            case Il.Ldfld or Il.Ldflda or Il.Stfld or Il.Ldsflda or Il.Stsfld:
                Field(reader.Opcode, reader.Operand());
                break;
            case Il.Call or Il.Callvirt or Il.Newobj:
                Call(reader.Opcode, reader.Operand());
                break;
            case Il.Ldftn or Il.Ldvirtftn:
                if (reader.Opcode == Il.Ldvirtftn)
                    Pop();
                Push(MethodOf(reader.Operand()) is { } function && CompilerNames.IsGenerated(function) ? function : null);
                break;
            case (>= Il.StindRef and <= Il.StindR8) or Il.StindI or Il.Stobj or Il.Cpobj:
                ClosureScan.Use(Pop());
                scan.Write(Pop());
                break;
            case Il.Initobj:
                scan.Write(Pop());
                break;
            case Il.Calli or Il.Leave or Il.LeaveShort:
                _stack.Clear();
                break;
            default:
                for (var i = 0; i < reader.Pops; i++)
                    ClosureScan.Use(Pop());
                for (var i = 0; i < reader.Pushes; i++)
                    Push(null);
                if (reader.IsBranch)
                    Leave(reader.Target(), reader.Offset);
                else if (reader.Opcode == Il.Switch)
                    LeaveBySwitch(ref reader);
                break;
        }
    }

    private void Field(int opcode, int token)
    {
        if (FieldOf(token) is not { } field)
        {
            _stack.Clear();
            return;
        }

        scan.Touch(field);
        switch (opcode)
        {
            case Il.Ldfld:
                Push(scan.Load(Pop(), field));
                break;
            case Il.Ldflda:
                Push(ClosureScan.AddressOf(Pop(), field));
                break;
            case Il.Stfld:
                var value = Pop();
                scan.Store(Pop(), field, value);
                break;
            case Il.Ldsflda:
                Push(field);
                break;
            default:
                Pop();
                scan.Write(field);
                break;
        }
    }

    private void Call(int opcode, int token)
    {
        if (MethodOf(token) is not { } callee)
        {
            _stack.Clear();
            return;
        }

        var parameters = callee.GetParameters();
        var hasThis = !callee.IsStatic && opcode != Il.Newobj;
        var offset = hasThis ? 1 : 0;
        var given = new object?[parameters.Length + offset];
        for (var i = given.Length - 1; i >= 0; i--)
            given[i] = Pop();

        for (var i = offset; i < given.Length; i++)
        {
            if (given[i] is CapturedVariable or FieldInfo)
                Hand(given[i], parameters[i - offset]);
        }

        if (opcode == Il.Newobj)
        {
            // A delegate is made of an object and a function; what it will run counts as run.
            if (given is [var target, MethodBase function])
                scan.Follow(function, [target]);
            else if (callee.DeclaringType is { } made && CompilerNames.IsStateMachine(made))
                scan.FollowStateMachine(made);
            Push(null);
            return;
        }

        if (CompilerNames.IsGenerated(callee))
            scan.Follow(callee, given);
        else if (hasThis)
            CallOn(given[0], callee, given);
        if (callee is MethodInfo { ReturnType: var returned } && returned != typeof(void))
            Push(null);
    }

    private static bool IsReadOnly(ParameterInfo parameter) =>
        parameter.IsIn || parameter.GetRequiredCustomModifiers().Contains(typeof(InAttribute));

    private void Hand(object? address, ParameterInfo parameter)
    {
        ClosureScan.Use(address);
        if (parameter.ParameterType.IsByRef && !IsReadOnly(parameter))
            scan.Write(address);
    }

    private void CallOn(object? holder, MethodBase callee, object?[] given)
    {
        if (holder is CaptureObject captured && CompilerNames.BackingField(callee) is { } field)
        {
            if (given.Length > 1)
                scan.Store(captured, field, null);
            else
                scan.Load(captured, field);
        }
        else if (holder is CapturedVariable variable)
        {
            variable.IsRead = true;
            if (callee.IsConstructor)
                scan.Write(variable);
            else if (callee.DeclaringType is { IsValueType: true } && CodeOrigin.IsUsers(callee))
                scan.Follow(callee, given);
        }
    }

    // Only a stack that holds something is worth remembering: between statements it is empty.
    private void Leave(int target, int from)
    {
        if (_stack.Count > 0 && target > from)
            _waiting = new Waiting(target, _stack.ToArray(), _waiting);
    }

    private void LeaveBySwitch(ref IlReader reader)
    {
        for (var i = 0; i < reader.Operand(); i++)
            Leave(reader.SwitchTarget(i), reader.Offset);
    }

    private void Arrive(int offset, bool reached)
    {
        if (!reached)
            _stack.Clear();
        for (var waiting = _waiting; waiting is not null; waiting = waiting.Next)
        {
            for (var slot = 0; waiting.Offset == offset && slot < waiting.Stack.Length; slot++)
            {
                if (slot == _stack.Count)
                    _stack.Add(null);
                _stack[slot] ??= waiting.Stack[slot];
            }
        }
    }

    private FieldInfo? FieldOf(int token)
    {
        try
        {
            return _module.ResolveField(token, _typeArguments, _methodArguments);
        }
        catch (Exception error) when (IsUnreadable(error))
        {
            return null;
        }
    }

    private MethodBase? MethodOf(int token)
    {
        try
        {
            return _module.ResolveMethod(token, _typeArguments, _methodArguments);
        }
        catch (Exception error) when (IsUnreadable(error))
        {
            return null;
        }
    }

    // Code that names what can't be loaded fails, with a clear error, when it is run; that is not for the scan to say.
    private static bool IsUnreadable(Exception error) =>
        error is IOException or BadImageFormatException or TypeLoadException or MissingMemberException or ArgumentException;

    private void Push(object? value) => _stack.Add(value);

    private object? Pop()
    {
        // A handler begins with an exception on the stack that nobody pushed.
        if (_stack.Count == 0)
            return null;
        var value = _stack[^1];
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    // The stack as it is where a branch was taken to code further down.
    private sealed class Waiting(int offset, object?[] stack, Waiting? next)
    {
        public int Offset => offset;

        public object?[] Stack => stack;

        public Waiting? Next => next;
    }

    private static object? At(object?[] slots, int index) => index < slots.Length ? slots[index] : null;

    private static void Put(ref object?[] slots, int index, object? value)
    {
        if (index >= slots.Length)
            Array.Resize(ref slots, index + 4);
        slots[index] = value;
    }
}
