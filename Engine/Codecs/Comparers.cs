using System.Globalization;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>
/// The comparers that travel with sets and dictionaries, as one byte: the default of the type, and .NET's culture-free ones for strings.
/// </summary>
/// <remarks>A comparer of your own is code, and losing it would change what a dictionary finds: so it is refused, by name.</remarks>
internal static class Comparers
{
    private const byte Default = 0, Ordinal = 1, OrdinalIgnoreCase = 2, Invariant = 3, InvariantIgnoreCase = 4;

    /// <summary>Writes which comparer a collection has.</summary>
    /// <param name="writer">Takes the byte.</param>
    /// <param name="comparer">Its equality or order comparer of <typeparamref name="T"/>.</param>
    /// <param name="collection">The collection's type.</param>
    /// <exception cref="CodecException">It is not one of those that travel.</exception>
    public static void Write<T>(BlockWriter writer, object comparer, Type collection) =>
        writer.WriteByte(IdOf<T>(comparer) ?? throw Refuse(comparer, collection));

    /// <summary>The error for a comparer that doesn't travel.</summary>
    public static CodecException Refuse(object comparer, Type collection) => new(
        $"A {TypeNames.Short(collection)} with the comparer {TypeNames.Short(comparer.GetType())} can't be encoded: only the default comparer and "
        + "StringComparer's Ordinal, OrdinalIgnoreCase, InvariantCulture and InvariantCultureIgnoreCase travel; "
        + "next: use one of them, or make the collection anew inside the task.");

    /// <summary>Reads which comparer a collection of these elements has.</summary>
    /// <exception cref="CorruptDataException">There is no such comparer for them.</exception>
    public static int Read<T>(ref BlockReader reader)
    {
        var id = reader.ReadByte();
        return id == Default || (id <= InvariantIgnoreCase && typeof(T) == typeof(string))
            ? id
            : throw new CorruptDataException($"The data names comparer {id} for {TypeNames.Short(typeof(T))}, which does not exist.");
    }

    /// <summary>The equality comparer of a number from <see cref="Read{T}"/>.</summary>
    public static IEqualityComparer<T>? Equality<T>(int id) => id == Default ? null : (IEqualityComparer<T>)ForStrings(id);

    /// <summary>The order comparer of a number from <see cref="Read{T}"/>.</summary>
    public static IComparer<T>? Order<T>(int id) => id == Default ? null : (IComparer<T>)ForStrings(id);

    private static object ForStrings(int id) => id switch
    {
        Ordinal => StringComparer.Ordinal,
        OrdinalIgnoreCase => StringComparer.OrdinalIgnoreCase,
        Invariant => StringComparer.InvariantCulture,
        _ => StringComparer.InvariantCultureIgnoreCase,
    };

    private static byte? IdOf<T>(object comparer)
    {
        if (ReferenceEquals(comparer, EqualityComparer<T>.Default) || ReferenceEquals(comparer, Comparer<T>.Default))
            return Default;
        if (typeof(T) != typeof(string) || comparer is not IEqualityComparer<string?> strings)
            return null;
        if (StringComparer.IsWellKnownOrdinalComparer(strings, out var ignoreCase))
            return ignoreCase ? OrdinalIgnoreCase : Ordinal;
        if (!StringComparer.IsWellKnownCultureAwareComparer(strings, out var culture, out var options)
            || !culture.Equals(CultureInfo.InvariantCulture.CompareInfo))
            return null;
        return options switch
        {
            CompareOptions.None => Invariant,
            CompareOptions.IgnoreCase => InvariantIgnoreCase,
            _ => null,
        };
    }
}
