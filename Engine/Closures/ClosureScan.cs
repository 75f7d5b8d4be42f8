using System.Reflection;

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
    // A value is null (unknown), a CaptureObject, a CapturedVariable (its address), a static FieldInfo (its address), or the MethodBase that
    // a delegate is about to be made of. What capture objects were stored in fields of objects made inside the lambda:
    private readonly Dictionary<FieldInfo, CaptureObject> _stored = [];
    private readonly HashSet<FieldInfo> _soughtInVain = [];
    private readonly List<MethodScan> _methods = [];
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

    /// <summary>Has a method read, called with these values.</summary>
    public void Follow(MethodBase method, object?[] arguments)
    {
        foreach (var known in _methods)
        {
            if (known.IsOf(method, arguments))
                return;
        }

        _methods.Add(new MethodScan(this, method, arguments));
    }

    /// <summary>Has the body of an iterator or an async method read.</summary>
    public void FollowStateMachine(Type type)
    {
        if (_stateMachines.Add(type)
            && type.GetMethod("MoveNext", BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, []) is { } moveNext)
            Follow(moveNext, [null]);
    }

    /// <summary>Notes that some code names a field.</summary>
    public void Touch(FieldInfo field)
    {
        if (field.IsStatic || field.DeclaringType is not { } type || !CompilerNames.IsGenerated(type))
            return;
        if (!Touched.Contains(field))
            Touched.Add(field);
        if (CompilerNames.IsStateMachine(type))
            FollowStateMachine(type);
    }

    /// <summary>Notes the read of a field; gives what is known of its value.</summary>
    public object? Load(object? holder, FieldInfo field)
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

    /// <summary>What is known of the address of a field.</summary>
    public static object? AddressOf(object? holder, FieldInfo field) => holder switch
    {
        CaptureObject captured => captured.Variable(field),
        // A part of a captured struct: writing it writes the variable.
        CapturedVariable or FieldInfo => holder,
        _ => null,
    };

    /// <summary>Notes the write of a field, and what is known of the value it gets.</summary>
    public void Store(object? holder, FieldInfo field, object? value)
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

    /// <summary>Notes the write of what an address leads to.</summary>
    public void Write(object? address)
    {
        if (address is CapturedVariable { IsPlumbing: false } variable)
            variable.IsWritten = true;
        else if (address is FieldInfo { IsStatic: true } field && field.Name[0] != '<' && !StaticWrites.Contains(field))
            StaticWrites.Add(field);
    }

    /// <summary>Notes that what an address leads to is looked at.</summary>
    public static void Use(object? value)
    {
        if (value is CapturedVariable variable)
            variable.IsRead = true;
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
}
