using System.Reflection;
using System.Runtime.CompilerServices;
using Dataflow.Serialization;
using Dataflow.Surrogates;

namespace Dataflow.Closures;

/// <summary>Reads one graph that a <see cref="GraphWriter"/> wrote.</summary>
/// <remarks>
/// Objects exist before their fields are read, so cycles close by themselves. Delegates and some forms don't: who refers to one that is still
/// being read (a lambda that calls itself) is noted and gets it at the end.
/// </remarks>
internal sealed class GraphReader(ReadContext context)
{
    private static readonly object Unfinished = new();

    private readonly CodeReader _code = new(context.Code);
    private readonly List<object?> _objects = [];
    private readonly List<(object Owner, FieldInfo? Field, int Index, int Slot)> _patches = [];
    private readonly List<ITraveller> _travellers = [];
    private readonly Queue<(TravelPlan Plan, object Value)> _postponed = new();
    private int _unfinishedSlot;

    public object? ReadRoot(ref BlockReader reader)
    {
        for (var left = reader.ReadVarUInt(); left > 0; left--) ReadObject(ref reader);
        var root = ReadObject(ref reader);
        while (_postponed.TryDequeue(out var next)) ReadFields(ref reader, next.Plan, next.Value);
        foreach (var (owner, field, index, slot) in _patches)
        {
            if (field is not null) field.SetValue(owner, _objects[slot]);
            else ((Array)owner).SetValue(_objects[slot], index);
        }
        foreach (var traveller in _travellers) traveller.Arrived(context);
        return root;
    }

    public Type ReadType(ref BlockReader reader) => _code.ReadType(ref reader);

    public MethodBase ReadMethod(ref BlockReader reader) => _code.ReadMethod(ref reader);

    public Assembly ReadAssembly(ref BlockReader reader) => _code.ReadAssembly(ref reader);

    /// <summary>For forms: makes the object known under its number.</summary>
    public void Keep(int slot, object value)
    {
        if (slot >= 0) _objects[slot] = value;
    }

    /// <summary>Whether a value just read is one that is still being read; then <see cref="PatchLater"/> must be next.</summary>
    public bool IsUnfinished(object? value) => ReferenceEquals(value, Unfinished);

    /// <summary>Puts the value into an array once it is there.</summary>
    public void PatchLater(Array owner, int index) => _patches.Add((owner, null, index, _unfinishedSlot));

    /// <summary>Reads a value of a declared type.</summary>
    public object? ReadValue(ref BlockReader reader, Type declared)
    {
        if (!declared.IsValueType) return ReadObject(ref reader);
        if (Nullable.GetUnderlyingType(declared) is { } inner)
            return reader.ReadByte() == 0 ? null : ReadContent(ref reader, TravelPlan.Of(inner), -1);
        return ReadContent(ref reader, TravelPlan.Of(declared), -1);
    }

    private object? ReadObject(ref BlockReader reader)
    {
        var tag = reader.ReadByte();
        switch (tag)
        {
            case GraphWriter.Null:
                return null;
            case GraphWriter.Known:
                var number = (int)reader.ReadVarUInt();
                var known = _objects[number];
                if (IsUnfinished(known)) _unfinishedSlot = number;
                return known;
        }

        RuntimeHelpers.EnsureSufficientExecutionStack();
        var plan = TravelPlan.Of(_code.ReadType(ref reader));
        if (plan.Type.IsValueType) return ReadContent(ref reader, plan, -1);
        var slot = _objects.Count;
        if (tag == GraphWriter.Later)
        {
            var later = RuntimeHelpers.GetUninitializedObject(plan.Type);
            _objects.Add(later);
            _postponed.Enqueue((plan, later));
            return later;
        }
        _objects.Add(Unfinished);
        var value = ReadContent(ref reader, plan, slot);
        _objects[slot] = value;
        return value;
    }

    private object ReadContent(ref BlockReader reader, TravelPlan plan, int slot) => plan.Kind switch
    {
        TravelKind.Text => reader.ReadString()!,
        TravelKind.Scalar => plan.Codec!.ReadBoxed(ref reader)!,
        TravelKind.Form => plan.Form!.Read(this, ref reader, plan.Type, slot),
        TravelKind.Delegate => ReadDelegate(ref reader, plan.Type),
        TravelKind.Fields => ReadFields(ref reader, plan, Made(plan, slot)),
        _ => throw new CorruptDataException($"The code of a stage holds a {TypeNames.Of(plan.Type)}, which can't travel."),
    };

    private object Made(TravelPlan plan, int slot)
    {
        var value = RuntimeHelpers.GetUninitializedObject(plan.Type);
        Keep(slot, value);
        return value;
    }

    private object ReadFields(ref BlockReader reader, TravelPlan plan, object value)
    {
        var isCut = value is Rdd && reader.ReadByte() == 1;
        foreach (var field in plan.Fields)
        {
            if (isCut && !GraphWriter.IsOfRdd(field.DeclaringType!)) continue;
            // Captured variables may have been left out.
            if (plan.IsDisplayClass && !PlainData.Is(field.FieldType) && reader.ReadByte() == GraphWriter.Null) continue;
            var part = ReadValue(ref reader, field.FieldType);
            if (IsUnfinished(part)) _patches.Add((value, field, 0, _unfinishedSlot));
            else if (part is not null) field.SetValue(value, part);
        }
        if (value is ITraveller traveller) _travellers.Add(traveller);
        return value;
    }

    private Delegate ReadDelegate(ref BlockReader reader, Type type)
    {
        Delegate? all = null;
        for (var left = reader.ReadVarUInt(); left > 0; left--)
        {
            var method = (MethodInfo)_code.ReadMethod(ref reader);
            var one = reader.ReadByte() switch
            {
                GraphWriter.NoTarget => Delegate.CreateDelegate(type, method),
                GraphWriter.NullTarget => Delegate.CreateDelegate(type, null, method),
                GraphWriter.Singleton => Delegate.CreateDelegate(type, SingletonOf(method.DeclaringType!), method),
                _ => Delegate.CreateDelegate(type, ReadObject(ref reader), method),
            };
            all = all is null ? one : Delegate.Combine(all, one);
        }
        return all!;
    }

    // The object that all lambdas without captures of a class share.
    private static object? SingletonOf(Type type) => type.GetField("<>9", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!.GetValue(null);
}
