using System.Reflection;
using Dataflow.Errors;

namespace Dataflow.Closures;

/// <summary>
/// Reads the IL of a lambda, and of the compiler-made methods it reaches (inner lambdas, local functions, state machines), with a small
/// stack machine that knows of each value only whether it is one of the capture objects, or the address of one of their fields.
/// </summary>
/// <remarks>
/// <para>A variable is <b>written</b> by: a store to its field; a store, also of a part of a struct, through its address; its address
/// handed on as <c>ref</c> or <c>out</c> (not <c>in</c> or <c>ref readonly</c>); a constructor run on its address; the setter of an automatic property of <c>this</c>; a
/// method of a struct of the user's, called on its address, that does one of these to itself. A method of any other struct called on its
/// address is no write: whether it changes the struct can't be told from outside. Changing what a variable refers to (an array's
/// element, a list, an object's property) is a read of the variable.</para>
/// <para>Objects made inside the lambda are unknown values, so writes to them count for nothing, even when their class is that of a capture
/// object. Code is read once, front to back: where paths meet, a value that is a capture object on one of them is taken for it, and a
/// local keeps what was last stored in it by position. That can miss a write through an alias in strange code; it does not invent one.</para>
/// <para>Ordinary methods are not followed. What the scan can't read (a type that doesn't load, <c>calli</c>) becomes an unknown value.</para>
/// </remarks>
internal sealed class ClosureScan
{
    // A value on the stack is null (unknown), a CaptureObject, a CapturedVariable (its address), a static FieldInfo (its address), or the
    // MethodBase that a delegate is about to be made of.
    private readonly Dictionary<FieldInfo, CaptureObject> _stored = [];
    private readonly HashSet<FieldInfo> _soughtInVain = [];
    private readonly List<Frame> _methods = [];
    private readonly HashSet<Type> _stateMachines = [];
    private bool _again;

    /// <summary>Fields of capture classes and state machines that any of the code names, on whatever object: more than is truly read.</summary>
    public List<FieldInfo> Touched { get; } = [];

    /// <summary>Static fields of the user's that the code stores to.</summary>
    public List<FieldInfo> StaticWrites { get; } = [];

    /// <summary>Scans a delegate's method and what it reaches.</summary>
    /// <param name="method">The method, closed over its generic arguments.</param>
    /// <param name="target">What its first argument is: the delegate's target; null if it has none.</param>
    /// <returns>False if the method has no IL to read.</returns>
    public bool Run(MethodBase method, CaptureObject? target)
    {
        if (IlOf(method) is null)
            return false;

        do
        {
            // An object stored in a field after code that loads that field was read: read all again, knowing it.
            _again = false;
            _methods.Clear();
            _stateMachines.Clear();
            Follow(method, [target]);
            for (var i = 0; i < _methods.Count; i++)
            {
                if (IlOf(_methods[i].Method) is { } il)
                    _methods[i].Read(il);
            }
        }
        while (_again);
        return true;
    }

    private static byte[]? IlOf(MethodBase method)
    {
        try
        {
            return method.GetMethodBody()?.GetILAsByteArray();
        }
        catch (Exception error) when (error is NotSupportedException or InvalidOperationException)
        {
            // Compiled ahead of time, or emitted at run time.
            return null;
        }
    }

    private void Follow(MethodBase method, object?[] arguments)
    {
        foreach (var known in _methods)
        {
            if (known.IsOf(method, arguments))
                return;
        }

        _methods.Add(new Frame(this, method, arguments));
    }

    private void FollowStateMachine(Type type)
    {
        if (_stateMachines.Add(type)
            && type.GetMethod("MoveNext", BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, []) is { } moveNext)
            Follow(moveNext, [null]);
    }

    private void Touch(FieldInfo field)
    {
        if (field.IsStatic || field.DeclaringType is not { } type || !CompilerNames.IsGenerated(type))
            return;
        if (!Touched.Contains(field))
            Touched.Add(field);
        if (CompilerNames.IsStateMachine(type))
            FollowStateMachine(type);
    }

    private object? Load(object? holder, FieldInfo field)
    {
        switch (holder)
        {
            case CaptureObject captured:
                var variable = captured.Variable(field);
                variable.IsRead = true;
                return variable.Target;
            case CapturedVariable whole:
                whole.IsRead = true;
                return null;
            default:
                // A field of an object made inside the lambda: a capture object may have been put there.
                if (_stored.TryGetValue(field, out var stored))
                    return stored;
                if (field.DeclaringType is { } type && CompilerNames.IsGenerated(type))
                    _soughtInVain.Add(field);
                return null;
        }
    }

    private static object? AddressOf(object? holder, FieldInfo field) => holder switch
    {
        CaptureObject captured => captured.Variable(field),
        // A part of a captured struct: writing it writes the variable.
        CapturedVariable or FieldInfo => holder,
        _ => null,
    };

    private void Store(object? holder, FieldInfo field, object? value)
    {
        switch (holder)
        {
            case CaptureObject captured:
                Write(captured.Variable(field));
                break;
            case CapturedVariable or FieldInfo:
                Write(holder);
                break;
            default:
                if (value is CaptureObject kept && _stored.TryAdd(field, kept))
                    _again |= _soughtInVain.Contains(field);
                break;
        }
    }

    private void Write(object? address)
    {
        if (address is CapturedVariable { IsPlumbing: false } variable)
            variable.IsWritten = true;
        else if (address is FieldInfo { IsStatic: true } field && field.Name[0] != '<' && !StaticWrites.Contains(field))
            StaticWrites.Add(field);
    }

    private static void Use(object? value)
    {
        if (value is CapturedVariable variable)
            variable.IsRead = true;
    }

    // One method being read: its stack, arguments and locals.
    private sealed class Frame(ClosureScan scan, MethodBase method, object?[] arguments)
    {
        private readonly Module _module = method.Module;
        private readonly Type[]? _typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        private readonly Type[]? _methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        private readonly object?[] _given = arguments;
        private readonly List<object?> _stack = [];
        private Waiting? _waiting;
        private object?[] _arguments = arguments;
        private object?[] _locals = [];

        public MethodBase Method => method;

        // Read once for each way it is called.
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
                    Use(Pop());
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
                        Use(Pop());
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
                    Push(AddressOf(Pop(), field));
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
            parameter.IsIn || parameter.GetRequiredCustomModifiers().Contains(typeof(System.Runtime.InteropServices.InAttribute));

        private void Hand(object? address, ParameterInfo parameter)
        {
            Use(address);
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
}
