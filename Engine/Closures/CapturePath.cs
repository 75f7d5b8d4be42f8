using System.Reflection;
using System.Text;
using Dataflow.Diagnostics;
using Dataflow.Errors;
using Dataflow.Serialization;

namespace Dataflow.Closures;

/// <summary>The way from a verb to the value that is being written, and the errors that tell it.</summary>
internal sealed class CapturePath(CallSite site)
{
    /// <summary>Scopes that enclose a lambda, at most.</summary>
    public const int MostScopes = 64;

    private const int MostSteps = 12;

    private readonly List<Step> _steps = [];
    private CallSite _site = site;

    /// <summary>The verb whose Rdd is being written.</summary>
    public CallSite Site => _site;

    /// <summary>How many steps there are; can be set back to what it was.</summary>
    public int Depth
    {
        get => _steps.Count;
        set => _steps.RemoveRange(value, _steps.Count - value);
    }

    /// <summary>Notes the verb whose Rdd is being written.</summary>
    /// <returns>The one before.</returns>
    public CallSite At(CallSite site)
    {
        var before = _site;
        _site = site;
        return before;
    }

    public void Enter(FieldInfo field, object? value) => _steps.Add(new Step(field, null, -1, value?.GetType() ?? field.FieldType));

    public void Enter(MethodInfo lambda) => _steps.Add(new Step(lambda, null, -1, typeof(Delegate)));

    public void Enter(string name, Type declared, object? value) => _steps.Add(new Step(null, name, -1, value?.GetType() ?? declared));

    public void Enter(int index, Type declared, object? value) => _steps.Add(new Step(null, null, index, value?.GetType() ?? declared));

    public void Leave() => _steps.RemoveAt(_steps.Count - 1);

    public ClosureException Refuse(Type type, string why, string next)
    {
        var lambda = _steps.FindLastIndex(static step => step.Member is MethodInfo method && CodeOrigin.IsUsers(method));
        if (lambda < 0) lambda = _steps.FindLastIndex(static step => step.Member is MethodInfo);

        // The first captured variable after the lambda is what its text shows; scopes around it have no name there.
        var variable = lambda < 0 ? null : _steps.Skip(lambda + 1).FirstOrDefault(static step => step.Name is not null);
        var subject = lambda < 0 ? $"What {_site} needs" : Subject((MethodInfo)_steps[lambda].Member!);
        var reads = variable is null ? $"it is or holds a {TypeNames.Short(type)}"
            : variable.Type == type ? $"it reads '{variable.Name}' ({TypeNames.Short(type)})"
            : $"it reads '{variable.Name}' ({TypeNames.Short(variable.Type)}), which holds a {TypeNames.Short(type)}";
        return new ClosureException($"{subject} can't travel to an executor: {reads}, and {why}. {next}.\n  path: {Describe()}", _site);
    }

    public ClosureException RefuseDriverOnly(Type type)
    {
        var held = DriverOnly.In(type) ?? type;
        return typeof(Rdd).IsAssignableFrom(held)
            ? Refuse(type, "Rdds live in the driver only", "Collect it first, broadcast it, or join the two Rdds")
            : typeof(DataflowContext).IsAssignableFrom(held)
                ? Refuse(type, "contexts live in the driver only", "If it is a field of an object, copy what you need of that into a local first, and capture the local")
                : Refuse(type, "it lives in the driver only", "Take what the lambda needs from it before this verb, and capture that");
    }

    private string Subject(MethodInfo method)
    {
        var line = SourceLine.Of(method, 0);
        var place = line.File is null ? "" : $" ({line})";
        if (MemberName.IsLambda(method.Name)) return $"The lambda in {_site}{(_site.ToString().Contains(line.ToString(), StringComparison.Ordinal) ? "" : place)}";
        return MemberName.LocalFunction(method.Name) is { } local
            ? $"The local function '{local}'{place}, given to {_site},"
            : $"The method '{method.Name}'{place}, given to {_site},";
    }

    private string Describe()
    {
        var text = new StringBuilder(_site.ToString());
        var skipped = Math.Max(0, _steps.Count - MostSteps);
        if (skipped > 0) text.Append(" -> ...");
        foreach (var step in _steps.Skip(skipped)) text.Append(" -> ").Append(step);
        return text.ToString();
    }

    private sealed record Step(MemberInfo? Member, string? Label, int Index, Type Type)
    {
        // As the user wrote it; null for what the compiler put in between.
        public string? Name => Member is FieldInfo variable
            ? CompilerNames.IsLink(variable) && variable.Name != "<>4__this" ? null : CompilerNames.Variable(variable)
            : Label;

        public override string ToString() => Member is MethodInfo method
            ? MemberName.Describe(method)
            : Member is FieldInfo variable
                ? $"{TypeNames.Short(variable.DeclaringType!)}.{CompilerNames.Variable(variable)} ({TypeNames.Short(Type)})"
                : $"{(Index >= 0 ? $"[{Index}]" : Label)} ({TypeNames.Short(Type)})";
    }
}
