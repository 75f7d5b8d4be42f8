using System.Globalization;
using System.Reflection;
using Dataflow.Closures;
using Dataflow.Serialization;

namespace Dataflow.Surrogates;

/// <summary>.NET's comparers: the default of a type, the StringComparers, and those made of delegates.</summary>
internal sealed class ComparerForm : Form
{
    private const byte EqualityDefault = 0, OrderDefault = 1, Ordinal = 2, OrdinalIgnoreCase = 3, OfCulture = 4, Reference = 5, Comparison = 6;

    public static ComparerForm Instance { get; } = new();

    /// <summary>Whether a type is one of .NET's comparers.</summary>
    public static bool Is(Type type) =>
        type == typeof(ComparerForm)
        || (RuntimeCode.Brings(type.Assembly) && type.Name != "DelegateEqualityComparer`1"
            && (typeof(StringComparer).IsAssignableFrom(type) || type == typeof(ReferenceEqualityComparer)
                || Closed(type, typeof(EqualityComparer<>)) is not null || Closed(type, typeof(Comparer<>)) is not null));

    // Which class a comparer is of is .NET's own affair.
    public override Type NamedAs(Type type) => typeof(ComparerForm);

    public override void Write(GraphWriter writer, object value)
    {
        var type = value.GetType();
        var output = writer.Output;
        if (value is IEqualityComparer<string?> strings && StringComparer.IsWellKnownOrdinalComparer(strings, out var ignoreCase)
            && value is StringComparer)
        {
            output.WriteByte(ignoreCase ? OrdinalIgnoreCase : Ordinal);
        }
        else if (value is IEqualityComparer<string?> cultured
            && StringComparer.IsWellKnownCultureAwareComparer(cultured, out var culture, out var options))
        {
            output.WriteByte(OfCulture);
            output.WriteString(culture.Name);
            output.WriteVarUInt((uint)options);
        }
        else if (value is ReferenceEqualityComparer)
        {
            output.WriteByte(Reference);
        }
        else if (Closed(type, typeof(EqualityComparer<>)) is { } equality && Equals(DefaultOf(equality), value))
        {
            output.WriteByte(EqualityDefault);
            writer.WriteType(equality);
        }
        else if (Closed(type, typeof(Comparer<>)) is { } order && Equals(DefaultOf(order), value))
        {
            output.WriteByte(OrderDefault);
            writer.WriteType(order);
        }
        else if (Closed(type, typeof(Comparer<>)) is { } made && ComparisonOf(value) is { } comparison)
        {
            output.WriteByte(Comparison);
            writer.WriteType(made);
            writer.WriteMember("Comparison", typeof(Delegate), comparison);
        }
        else
        {
            throw writer.Refuse(type, "it is a comparer of .NET's that can't be made again elsewhere", "Write a class of your own that compares");
        }
    }

    public override object Read(GraphReader graph, ref BlockReader reader, Type type, int slot)
    {
        switch (reader.ReadByte())
        {
            case EqualityDefault or OrderDefault:
                return DefaultOf(graph.ReadType(ref reader))!;
            case Ordinal:
                return StringComparer.Ordinal;
            case OrdinalIgnoreCase:
                return StringComparer.OrdinalIgnoreCase;
            case OfCulture:
                var culture = CultureInfo.GetCultureInfo(reader.ReadString()!);
                return StringComparer.Create(culture, (CompareOptions)reader.ReadVarUInt());
            case Reference:
                return ReferenceEqualityComparer.Instance;
            default:
                var made = graph.ReadType(ref reader);
                return made.GetMethod(nameof(Comparer<int>.Create), BindingFlags.Public | BindingFlags.Static)!
                    .Invoke(null, [graph.ReadValue(ref reader, typeof(Delegate))])!;
        }
    }

    private static object? DefaultOf(Type closed) => closed.GetProperty("Default", BindingFlags.Public | BindingFlags.Static)!.GetValue(null);

    private static Delegate? ComparisonOf(object comparer) =>
        comparer.GetType().GetField("_comparison", BindingFlags.Instance | BindingFlags.NonPublic)?.GetValue(comparer) as Delegate;

    private static Type? Closed(Type type, Type definition)
    {
        for (var at = type; at is not null; at = at.BaseType)
        {
            if (at.IsGenericType && at.GetGenericTypeDefinition() == definition) return at;
        }
        return null;
    }
}
