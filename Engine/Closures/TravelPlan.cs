using System.Reflection;
using System.Runtime.CompilerServices;
using Dataflow.Diagnostics;
using Dataflow.Errors;
using Dataflow.Serialization;
using Dataflow.Surrogates;

namespace Dataflow.Closures;

/// <summary>How the values of a type travel.</summary>
internal enum TravelKind
{
    /// <summary>As text.</summary>
    Text,

    /// <summary>By the codec of its type: numbers, enums, dates and the like.</summary>
    Scalar,

    /// <summary>Field by field.</summary>
    Fields,

    /// <summary>By a form of its own.</summary>
    Form,

    /// <summary>As a delegate: method and target.</summary>
    Delegate,

    /// <summary>Not at all.</summary>
    Refused,
}

/// <summary>How one type travels, found once. Both sides find the same: they run the same engine and the same .NET.</summary>
internal sealed class TravelPlan
{
    // [NonSerialized] says of a field what it always said, though the formatters it was made for are gone.
    private const FieldAttributes NotSerialized = (FieldAttributes)0x80;

    private static readonly ConditionalWeakTable<Type, TravelPlan> Known = [];

    // What .NET keeps in fields that mean the same in every process.
    private static readonly HashSet<Type> CopiedTypes =
    [
        typeof(object), typeof(Tuple<>), typeof(Tuple<,>), typeof(Tuple<,,>), typeof(Tuple<,,,>), typeof(Tuple<,,,,>), typeof(Tuple<,,,,,>),
        typeof(Tuple<,,,,,,>), typeof(Tuple<,,,,,,,>), typeof(KeyValuePair<,>), typeof(StrongBox<>), typeof(Index), typeof(Range),
        typeof(List<>), typeof(System.Collections.ObjectModel.Collection<>), typeof(System.Collections.ObjectModel.ReadOnlyCollection<>),
        typeof(System.Collections.ObjectModel.ReadOnlyDictionary<,>), typeof(System.Collections.ObjectModel.KeyedCollection<,>),
        typeof(System.Collections.ObjectModel.ReadOnlySet<>), typeof(System.Collections.BitArray), typeof(System.Net.IPEndPoint),
    ];

    private TravelPlan(Type type, TravelKind kind)
    {
        Type = type;
        Kind = kind;
    }

    public Type Type { get; }

    public TravelKind Kind { get; }

    /// <summary>The form, for <see cref="TravelKind.Form"/>.</summary>
    public Form? Form { get; private init; }

    /// <summary>The codec, for <see cref="TravelKind.Scalar"/>.</summary>
    public IBoxedCodec? Codec { get; private init; }

    /// <summary>The fields that travel, for <see cref="TravelKind.Fields"/>; base classes first.</summary>
    public FieldInfo[] Fields { get; private init; } = [];

    /// <summary>Why not and what to do, for <see cref="TravelKind.Refused"/>.</summary>
    public (string Why, string Next) Refusal { get; private init; }

    /// <summary>The type that is named in front of a value.</summary>
    public Type NamedAs => Form?.NamedAs(Type) ?? Type;

    /// <summary>Whether the class is one of the engine's, or extends one that makes up a plan: it may hold Rdds.</summary>
    public bool IsEngines { get; private init; }

    /// <summary>Whether the object holds captured variables, or is one that a lambda of the engine's made.</summary>
    public bool IsDisplayClass { get; private init; }

    public static TravelPlan Of(Type type) => Known.GetValue(type, Make);

    private static TravelPlan Make(Type type)
    {
        if (type == typeof(string)) return new TravelPlan(type, TravelKind.Text);
        if (typeof(Delegate).IsAssignableFrom(type)) return new TravelPlan(type, TravelKind.Delegate);
        if (type.IsPointer || type.IsFunctionPointer || type == typeof(nint) || type == typeof(nuint) || type == typeof(Pointer))
            return Refuse(type, "it is an address in this process", "Keep the data in an array, or make the native object inside MapPartitions");
        if (ComparerForm.Is(type)) return new TravelPlan(type, TravelKind.Form) { Form = ComparerForm.Instance };
        if (type.IsValueType && PlainData.Is(type))
            return new TravelPlan(type, TravelKind.Scalar) { Codec = CodecSet.Shared.For(type).Boxed };
        if (type.IsArray)
        {
            var form = type.IsSZArray ? (Form)Activator.CreateInstance(typeof(ArrayForm<>).MakeGenericType(type.GetElementType()!))! : new MatrixForm(type);
            return new TravelPlan(type, TravelKind.Form) { Form = form };
        }
        if ((ValueForms.Find(type) ?? CollectionForms.Find(type)) is { } found) return new TravelPlan(type, TravelKind.Form) { Form = found };
        if (type.Assembly.IsDynamic)
            return Refuse(type, "its class was made at run time, in this process only", "Use a class of your program");

        for (var at = type; at is not null; at = at.BaseType)
        {
            if (RuntimeCode.Brings(at.Assembly) && !IsCopied(at)) return new TravelPlan(type, TravelKind.Refused) { Refusal = TravelAdvice.About(type, at) };
        }
        return new TravelPlan(type, TravelKind.Fields)
        {
            Fields = FieldsOf(type),
            IsEngines = CodeOrigin.IsOurs(type.Assembly) || typeof(Rdd).IsAssignableFrom(type) || typeof(Dependency).IsAssignableFrom(type)
                || typeof(Partitioner).IsAssignableFrom(type) || typeof(Partition).IsAssignableFrom(type),
            IsDisplayClass = CompilerNames.IsDisplayClass(type),
        };
    }

    private static bool IsCopied(Type type)
    {
        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        return CopiedTypes.Contains(definition) || type == typeof(ValueType) || type == typeof(Attribute)
            || definition.FullName is { } name && (name.StartsWith("System.ValueTuple`", StringComparison.Ordinal)
                || name is "System.Nullable`1" or "System.ValueTuple" or "System.Collections.Generic.EqualityComparer`1"
                    or "System.Collections.Generic.Comparer`1" or "System.Collections.Generic.DelegateEqualityComparer`1" or "System.StringComparer"
                || (type.IsValueType && name.StartsWith("System.Numerics.", StringComparison.Ordinal)));
    }

    // .NET's own by name, since their order may differ between patch versions.
    private static FieldInfo[] FieldsOf(Type type)
    {
        var fields = new List<FieldInfo>();
        for (var at = type; at is not null && at != typeof(object); at = at.BaseType)
        {
            var own = at.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly);
            if (RuntimeCode.Brings(at.Assembly)) Array.Sort(own, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
            else Array.Sort(own, static (a, b) => a.MetadataToken.CompareTo(b.MetadataToken));
            fields.InsertRange(0, own.Where(Travels));
        }
        return [.. fields];
    }

    private static bool Travels(FieldInfo field) =>
        (field.Attributes & NotSerialized) == 0 && !field.IsDefined(typeof(DriverOnlyAttribute), inherit: false);

    private static TravelPlan Refuse(Type type, string why, string next) => new(type, TravelKind.Refused) { Refusal = (why, next) };
}
