using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Dataflow.Diagnostics;
using Dataflow.Errors;
using Dataflow.Serialization;
using Dataflow.Shared;
using Dataflow.Surrogates;
using Dataflow.Tasks;

namespace Dataflow.Closures;

/// <summary>Writes one graph of objects. Each object is written where it is first met, and is a number from then on.</summary>
/// <remarks>
/// Keeps track of whose object it is at: Rdds may be reached from the engine's own objects, but not from what the user captured. Once in the
/// user's hands, all below is the user's.
/// </remarks>
internal sealed class GraphWriter
{
    public const byte Null = 0, Known = 1, New = 2, Later = 3;
    public const byte NoTarget = 0, Singleton = 1, Target = 2, NullTarget = 3;

    // Objects nested deeper than this are written after all others, each by itself: a list of a million links is no deep stack.
    private const int MostNested = 200;

    private readonly BlockWriter _output;
    private readonly CodeWriter _code;
    private readonly NeededFields _needed;
    private readonly Dictionary<object, int> _numbers = new(ReferenceEqualityComparer.Instance);
    private readonly List<object> _order = [];
    private readonly HashSet<object> _unfinished = new(ReferenceEqualityComparer.Instance);
    private readonly List<(object Owner, FieldInfo Field)> _leftOut = [];
    private readonly List<IBroadcastValue> _broadcasts = [];
    private readonly CapturePath _path;
    private readonly Queue<Postponed> _postponed = new();
    private ShuffleDependency? _written;
    private ClosureCapture? _capture;
    private bool _ofUser;
    private int _depth;
    private int _together;

    public GraphWriter(BlockWriter output, NeededFields needed, CallSite site)
    {
        _output = output;
        _needed = needed;
        _code = new CodeWriter(output);
        _path = new CapturePath(site);
    }

    /// <summary>For forms: where their own bytes go.</summary>
    public BlockWriter Output => _output;

    public IReadOnlyList<AssemblyRef> Assemblies => _code.Assemblies;

    public IReadOnlyList<IBroadcastValue> Broadcasts => _broadcasts;

    /// <summary>Writes the whole graph.</summary>
    public void WriteRoot(object? root)
    {
        _written = (root as MapStageBinary)?.Dependency;

        // The Rdds of a stage from the first to the last: none has to be reached through another, however long the chain.
        var lineage = root is StageBinary stage ? Lineage.NarrowFromSources(stage.Rdd) : [];
        _output.WriteVarUInt((uint)lineage.Count);
        foreach (var rdd in lineage) WriteObject(rdd, canBePatched: false);
        WriteObject(root, canBePatched: false);
        while (_postponed.TryDequeue(out var next))
        {
            (_ofUser, _capture) = (next.OfUser, next.Capture);
            _path.At(next.Site);
            WriteContent(next.Plan, next.Value);
        }
    }

    public void WriteType(Type type)
    {
        try
        {
            _code.WriteType(type);
        }
        catch (EmittedCodeException error)
        {
            throw Refuse(error.Type ?? type, "it was made at run time, in this process only", "Use a class of your program");
        }
    }

    public void WriteMethod(MethodBase method)
    {
        try
        {
            _code.WriteMethod(method);
        }
        catch (EmittedCodeException)
        {
            throw Refuse(typeof(MethodBase), "it was made at run time, in this process only", "Use a lambda, or a method of your program");
        }
    }

    public void WriteAssembly(Assembly assembly) => _code.WriteAssembly(assembly);

    /// <summary>For forms: writes a part that has a name.</summary>
    public void WriteMember(string name, Type declared, object? value)
    {
        _path.Enter(name, declared, value);
        WriteValue(declared, value, canBePatched: false);
        _path.Leave();
    }

    /// <summary>For forms: writes an element.</summary>
    public void WriteElement(Type declared, object? value, int index, bool canBePatched)
    {
        _path.Enter(index, declared, value);
        WriteValue(declared, value, canBePatched);
        _path.Leave();
    }

    /// <summary>The error about the value that is being written.</summary>
    public ClosureException Refuse(Type type, string why, string next) => _path.Refuse(type, why, next);

    // What is known of the declared type is not written again: structs have no identity and need no name.
    private void WriteValue(Type declared, object? value, bool canBePatched)
    {
        if (!declared.IsValueType)
        {
            WriteObject(value, canBePatched);
            return;
        }
        if (Nullable.GetUnderlyingType(declared) is { } inner)
        {
            _output.WriteByte(value is null ? (byte)0 : (byte)1);
            if (value is not null) WriteContent(TravelPlan.Of(inner), value);
            return;
        }
        WriteContent(TravelPlan.Of(declared), value!);
    }

    private void WriteObject(object? value, bool canBePatched)
    {
        // The driver's own part of an engine object stays behind.
        if (value is null || (value is DataflowContext && !_ofUser))
        {
            _output.WriteByte(Null);
            return;
        }
        if (_ofUser && value is IDriverOnly) throw _path.RefuseDriverOnly(value.GetType());
        if (_numbers.TryGetValue(value, out var number))
        {
            if (!canBePatched && _unfinished.Contains(value))
                throw Refuse(value.GetType(), "it leads back to itself through a collection or a struct", "Let it do so through a field of a class");
            _output.WriteByte(Known);
            _output.WriteVarUInt((uint)number);
            return;
        }

        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Refuse(value.GetType(), "it is nested too deep", "Keep long chains of objects in an array or a list");
        var plan = TravelPlan.Of(value.GetType());
        if (plan.Kind == TravelKind.Refused) throw Refuse(plan.Type, plan.Refusal.Why, plan.Refusal.Next);
        var isLater = _depth >= MostNested && _together == 0 && canBePatched && plan is { Kind: TravelKind.Fields, Type.IsValueType: false };
        _output.WriteByte(isLater ? Later : New);
        WriteType(plan.NamedAs);
        if (!plan.Type.IsValueType)
        {
            _numbers.Add(value, _order.Count);
            _order.Add(value);
        }
        if (isLater)
        {
            _postponed.Enqueue(new Postponed(plan, value, _ofUser, _capture, _path.Site));
            return;
        }
        _depth++;
        var isThereLate = plan.Kind == TravelKind.Delegate || plan.Form is { IsThereEarly: false };
        if (isThereLate) _unfinished.Add(value);
        WriteContent(plan, value);
        if (isThereLate) _unfinished.Remove(value);
        _depth--;
    }

    private void WriteContent(TravelPlan plan, object value)
    {
        switch (plan.Kind)
        {
            case TravelKind.Text:
                _output.WriteString((string)value);
                break;
            case TravelKind.Scalar:
                plan.Codec!.WriteBoxed(_output, value);
                break;
            case TravelKind.Form:
                // A collection looks into its elements as soon as they are read, to place them.
                var together = plan.Type.IsArray ? 0 : 1;
                _together += together;
                plan.Form!.Write(this, value);
                _together -= together;
                break;
            case TravelKind.Delegate:
                WriteDelegate((Delegate)value);
                break;
            case TravelKind.Refused:
                throw Refuse(plan.Type, plan.Refusal.Why, plan.Refusal.Next);
            default:
                var (ofUser, capture) = (_ofUser, _capture);
                if (!plan.IsDisplayClass) _capture = null;
                if (!plan.IsEngines && !plan.IsDisplayClass && !CodeOrigin.IsPlatform(plan.Type.Assembly)) _ofUser = true;
                var site = value is Rdd rdd ? _path.At(rdd.CallSite) : null;
                if (value is IBroadcastValue broadcast) _broadcasts.Add(broadcast);
                WriteFields(plan, value);
                if (site is not null) _path.At(site);
                (_ofUser, _capture) = (ofUser, capture);
                break;
        }
    }

    private void WriteFields(TravelPlan plan, object value)
    {
        // What is behind a checkpoint is not read any more, and what is behind a shuffle is another stage's.
        var isCut = value is Rdd { HasCutLineage: true };
        if (value is Rdd) _output.WriteByte(isCut ? (byte)1 : (byte)0);
        var isBehindShuffle = value is ShuffleDependency && value != _written;

        foreach (var field in plan.Fields)
        {
            if (isCut && !IsOfRdd(field.DeclaringType!)) continue;
            var part = isBehindShuffle && typeof(Rdd).IsAssignableFrom(field.FieldType) ? null : field.GetValue(value);
            _path.Enter(field, part);
            if (plan.IsDisplayClass && !PlainData.Is(field.FieldType)) WriteCaptured(value, field, part);
            else WriteValue(field.FieldType, part, canBePatched: !plan.Type.IsValueType);
            _path.Leave();
        }
    }

    /// <summary>Whether a class is one of the two that all Rdds extend, whose fields are needed even when its parents are not.</summary>
    public static bool IsOfRdd(Type type) => type == typeof(Rdd) || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Rdd<>));

    // A variable of a lambda's scope, after a byte that says whether it was left out.
    private void WriteCaptured(object owner, FieldInfo field, object? value)
    {
        if (value is null || CompilerNames.IsDelegateCache(field))
        {
            _output.WriteByte(Null);
            return;
        }
        var mark = (_output.Length, _code.Mark, _order.Count, _leftOut.Count, _broadcasts.Count);
        if (_capture is not { IsKnown: true } capture || capture.MayTouch(field) || _needed.Contains(owner, field))
        {
            _output.WriteByte(New);
            WriteValue(field.FieldType, value, canBePatched: true);
            return;
        }

        // Our own lambdas are known to be scanned rightly, and what they don't read is never worth its bytes.
        if (CodeOrigin.IsOurs(owner.GetType().Assembly) && !field.FieldType.IsValueType)
        {
            LeaveOut(owner, field);
            return;
        }

        var steps = _path.Depth;
        var (ofUser, known, depth, together, site) = (_ofUser, _capture, _depth, _together, _path.Site);
        try
        {
            // All of it at once, to see how large it is.
            _together++;
            _output.WriteByte(New);
            WriteValue(field.FieldType, value, canBePatched: true);
            _together = together;
            if (_output.Length - mark.Length <= ClosureCodec.LargestUnread) return;
        }
        catch (ClosureException)
        {
            // It can't travel, and need not.
            _path.Depth = steps;
            _path.At(site);
            (_ofUser, _capture, _depth, _together) = (ofUser, known, depth, together);
        }
        Rewind(mark);
        LeaveOut(owner, field);
    }

    private void LeaveOut(object owner, FieldInfo field)
    {
        _leftOut.Add((owner, field));
        _output.WriteByte(Null);
    }

    private void Rewind((int Length, (int, int) Code, int Objects, int LeftOut, int Broadcasts) mark)
    {
        _output.Truncate(mark.Length);
        _code.Rewind(mark.Code);
        foreach (var one in _order[mark.Objects..])
        {
            _numbers.Remove(one);
            _unfinished.Remove(one);
        }
        _order.RemoveRange(mark.Objects, _order.Count - mark.Objects);
        _leftOut.RemoveRange(mark.LeftOut, _leftOut.Count - mark.LeftOut);
        _broadcasts.RemoveRange(mark.Broadcasts, _broadcasts.Count - mark.Broadcasts);
    }

    private void WriteDelegate(Delegate value)
    {
        var all = value.HasSingleTarget ? [value] : value.GetInvocationList();
        _output.WriteVarUInt((uint)all.Length);
        foreach (var one in all) WriteOne(one);
    }

    private void WriteOne(Delegate lambda)
    {
        var method = lambda.Method;
        if (method.DeclaringType is null || method is DynamicMethod || lambda.Target?.GetType().FullName == "System.Runtime.CompilerServices.Closure")
        {
            throw Refuse(
                lambda.GetType(), "it was compiled at run time, from an expression tree or by emitting code, and has no code that could travel",
                "Write it as a lambda");
        }

        var (ofUser, capture) = (_ofUser, _capture);
        _ofUser |= CodeOrigin.IsUsers(method);
        _path.Enter(method);
        WriteMethod(method);
        var target = lambda.Target;
        if (target is null)
        {
            // An extension method closed over null is told from an open one by its parameters.
            var closed = method.IsStatic && method.GetParameters().Length > lambda.GetType().GetMethod("Invoke")!.GetParameters().Length;
            _output.WriteByte(closed ? NullTarget : NoTarget);
        }
        else if (target.GetType().Name == "<>c")
        {
            _output.WriteByte(Singleton);
        }
        else
        {
            _output.WriteByte(Target);
            _capture = ClosureCapture.Of(method);
            NeedLeftOut(target, _capture, 0);
            var isScope = CompilerNames.IsDisplayClass(target.GetType());
            if (!isScope) _path.Enter(method.IsStatic ? method.GetParameters()[0].Name ?? "first argument" : "this", target.GetType(), target);
            WriteObject(target, canBePatched: false);
            if (!isScope) _path.Leave();
        }
        _path.Leave();
        (_ofUser, _capture) = (ofUser, capture);
    }

    // A scope that was written for another lambda: what that did not read, this one may.
    private void NeedLeftOut(object scope, ClosureCapture capture, int depth)
    {
        if (_leftOut.Count == 0 || !_numbers.ContainsKey(scope)) return;
        foreach (var (owner, field) in _leftOut)
        {
            if (ReferenceEquals(owner, scope) && (!capture.IsKnown || capture.MayTouch(field))) _needed.Add(owner, field);
        }
        if (!CompilerNames.IsDisplayClass(scope.GetType()) || depth == CapturePath.MostScopes) return;
        foreach (var field in TravelPlan.Of(scope.GetType()).Fields)
        {
            if (CompilerNames.IsLink(field) && field.GetValue(scope) is { } outer) NeedLeftOut(outer, capture, depth + 1);
        }
    }

    private readonly record struct Postponed(TravelPlan Plan, object Value, bool OfUser, ClosureCapture? Capture, CallSite Site);
}
