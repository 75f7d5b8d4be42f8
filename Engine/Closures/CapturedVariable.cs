using System.Reflection;

namespace Dataflow.Closures;

/// <summary>One field a lambda can reach from its delegate's target: a captured local or parameter, or a field of the captured <c>this</c>.</summary>
internal sealed class CapturedVariable(CaptureObject owner, FieldInfo captured)
{
    /// <summary>The object that has the field.</summary>
    public CaptureObject Owner => owner;

    /// <summary>The field; its type is the declared type of the variable.</summary>
    public FieldInfo Field => captured;

    /// <summary>Whether the lambda uses its value.</summary>
    public bool IsRead { get; set; }

    /// <summary>Whether the lambda certainly contains a write of it; see <see cref="ClosureScan"/> for the rule.</summary>
    public bool IsWritten { get; set; }

    /// <summary>Whether it is no variable of the user's: it leads to the outer scope's variables or keeps an inner lambda's delegate.</summary>
    public bool IsPlumbing => (Target is not null && CompilerNames.IsGenerated(Target.Type)) || CompilerNames.IsDelegateCache(captured);

    /// <summary>The capture object it leads to, if it does: an outer scope's variables, or <c>this</c>.</summary>
    public CaptureObject? Target { get; init; }

    /// <summary>As the user knows it: <c>count</c>, or <c>this.count</c> for a field of the captured object.</summary>
    public string Name => CompilerNames.IsGenerated(owner.Type) ? CompilerNames.Variable(captured) : $"this.{CompilerNames.Variable(captured)}";

    /// <summary>Its value now, in the delegate with this target. About 50 ns a step.</summary>
    public object? ValueIn(object? target) => owner.In(target) is { } holder ? captured.GetValue(holder) : null;

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>An object a delegate's target leads to by capture links: the target itself, the variables of an outer scope, or <c>this</c>.</summary>
internal sealed class CaptureObject
{
    private readonly CaptureObject? _from;
    private readonly FieldInfo? _via;
    private readonly List<CapturedVariable> _all;
    private readonly List<CapturedVariable> _own = [];

    /// <summary>Makes the object that is the delegate's target.</summary>
    public CaptureObject(Type type, List<CapturedVariable> all)
    {
        Type = type;
        _all = all;
    }

    private CaptureObject(CaptureObject from, FieldInfo via)
        : this(via.FieldType, from._all)
    {
        _from = from;
        _via = via;
    }

    /// <summary>Its declared type.</summary>
    public Type Type { get; }

    /// <summary>The variable of one of its fields, made at the first request.</summary>
    public CapturedVariable Variable(FieldInfo field)
    {
        foreach (var known in _own)
        {
            if (known.Field == field)
                return known;
        }

        var made = new CapturedVariable(this, field) { Target = CompilerNames.IsLink(field) ? new CaptureObject(this, field) : null };
        _own.Add(made);
        _all.Add(made);
        return made;
    }

    /// <summary>This object in the delegate with that target; null if the way to it is not built.</summary>
    public object? In(object? target)
    {
        if (_from is null)
            return target;
        return _from.In(target) is { } holder ? _via!.GetValue(holder) : null;
    }
}
