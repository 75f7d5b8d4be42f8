using System.Reflection;
using System.Runtime.CompilerServices;
using Dataflow.Diagnostics;
using Dataflow.Errors;
using Dataflow.Tracking;

namespace Dataflow.Closures;

/// <summary>
/// What the code of a delegate's method does with what the delegate captured: which variables it reads and which it writes, by path from the
/// delegate's target through the scopes around the lambda.
/// </summary>
/// <remarks>
/// All lambdas of a scope share one capture object, so what the object holds says little; what the IL touches does. Found once per method
/// (some tens of us) and kept. <see cref="ClosureGuard"/> asks it when a plan is built. Of methods without IL at hand
/// (<see cref="IsKnown"/> is false) nothing is claimed.
/// </remarks>
internal sealed class ClosureCapture
{
    private static readonly ClosureCapture Unknown = new();
    // An application's code can be unloaded if nobody here holds on to it. A delegate that was asked for its method keeps it.
    private static readonly ConditionalWeakTable<MethodInfo, ClosureCapture> Kept = [];

    private readonly List<FieldInfo>? _touched;

    private ClosureCapture()
    {
    }

    // Plain loops: this runs while a program starts, when a query would first load and compile LINQ.
    private ClosureCapture(List<CapturedVariable> variables, ClosureScan scan)
    {
        IsKnown = true;
        Variables = variables;
        StaticWrites = scan.StaticWrites;
        _touched = scan.Touched;

        var open = new List<CapturedVariable>();
        foreach (var variable in variables)
        {
            if (variable.IsWritten)
                Written ??= variable;
            if (!variable.IsRead || variable.IsPlumbing)
                continue;
            if (DriverOnly.In(variable.Field.FieldType) is not null)
                InDriverOnly ??= variable;
            else if (DriverOnly.MayBeIn(variable.Field.FieldType))
                open.Add(variable);
        }

        KnownByValue = open;
    }

    /// <summary>Whether the method's IL could be read. It can't for methods emitted at run time or compiled ahead of time, and is not for .NET's own.</summary>
    public bool IsKnown { get; }

    /// <summary>Everything reached from the delegate's target, in the order the code reaches it.</summary>
    public IReadOnlyList<CapturedVariable> Variables { get; } = [];

    /// <summary>The first variable that the code writes, or null.</summary>
    public CapturedVariable? Written { get; }

    /// <summary>The first variable it reads that by its declared type lives in the driver only, or null.</summary>
    public CapturedVariable? InDriverOnly { get; }

    /// <summary>The variables it reads of which only the value tells what they are: delegates, objects, interfaces.</summary>
    public List<CapturedVariable> KnownByValue { get; } = [];

    /// <summary>Static fields the code stores to. Each process has its own; nothing refuses them, since caches do this rightly.</summary>
    public IReadOnlyList<FieldInfo> StaticWrites { get; } = [];

    /// <summary>Whether any of the code names this field of a capture object, on whatever object. A field of which this is false is never used.</summary>
    public bool MayTouch(FieldInfo field)
    {
        if (_touched is null)
            return true;

        foreach (var touched in _touched)
        {
            // Of a generic class, any instance's field stands for all.
            if (touched.MetadataToken == field.MetadataToken && touched.Module == field.Module)
                return true;
        }

        return false;
    }

    /// <summary>What the method of a delegate captures. About 30 ns when it was asked before.</summary>
    /// <param name="method">The delegate's <see cref="Delegate.Method"/>; a static one is taken to be closed over its first argument.</param>
    public static ClosureCapture Of(MethodInfo method) => Kept.GetValue(method, Scan);

    private static ClosureCapture Scan(MethodInfo method)
    {
        if (method.DeclaringType is not { } type || CodeOrigin.IsPlatform(method.Module.Assembly))
            return Unknown;

        // The first argument: the instance, or, for an extension method closed over its receiver, the first parameter.
        var target = !method.IsStatic ? type : method.GetParameters() is [var first, ..] ? first.ParameterType : null;
        var variables = new List<CapturedVariable>();
        var scan = new ClosureScan();
        var found = scan.Run(method, target is null ? null : new CaptureObject(target, variables));
        return found ? new ClosureCapture(variables, scan) : Unknown;
    }
}
