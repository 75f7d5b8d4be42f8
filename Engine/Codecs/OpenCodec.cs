using System.Collections;
using System.Collections.ObjectModel;
using Dataflow.Diagnostics;
using Dataflow.Errors;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>Members whose declared type is an interface, an abstract class or object: the type of each value is written with it.</summary>
internal sealed class OpenCodec<T>(TypeShape shape) : ShapedCodec<T>(shape)
{
    internal override void WriteItem(BlockWriter writer, T item)
    {
        if (item is null)
            writer.WriteByte(Subtypes.Null);
        else if (item.GetType() == typeof(T))
            writer.WriteByte(Subtypes.Exact);
        else
            Subtypes.Write(writer, item, typeof(T));
    }

    internal override T ReadItem(ref BlockReader reader) => reader.ReadVarUInt() switch
    {
        Subtypes.Null => default!,
        Subtypes.Exact when typeof(T) == typeof(object) => (T)new object(),
        Subtypes.Exact => throw new CorruptDataException(
            $"The data claims to hold a bare {TypeNames.Short(typeof(T))}, which has no values of its own."),
        var marker => (T)Subtypes.Read(ref reader, marker, typeof(T))!,
    };
}

/// <summary>
/// Values of another type than the declared one. Each begins with a marker: 0 null, 1 exactly the declared type, else the number of its
/// type in the block's table, plus two. A type that is new in the block is followed by its name and schema hash.
/// </summary>
internal static class Subtypes
{
    public const byte Null = 0, Exact = 1;
    private const int FirstInTable = 2;

    /// <summary>Writes the marker and the value.</summary>
    /// <param name="value">Not null, and of another type than <paramref name="declared"/>.</param>
    public static void Write(BlockWriter writer, object value, Type declared)
    {
        var table = writer.Types;
        var type = value.GetType();
        if (!table.TryFind(type, out var number))
        {
            var scope = writer.Scope ?? throw new InvalidOperationException("A bug of Dataflow: an open value outside a block. Please report it.");
            var found = scope.Find(declared, type);
            if (found is null)
            {
                Write(writer, AsArray(value, declared) ?? throw Unknown(declared, type), declared);
                return;
            }
            number = table.Add(found);
            writer.WriteVarUInt((uint)(number + FirstInTable));
            writer.WriteString(TypeNames.Of(type));
            writer.WriteRaw(found.Codec.SchemaHash);
        }
        else
        {
            writer.WriteVarUInt((uint)(number + FirstInTable));
        }

        var subtype = table[number];
        if (!subtype.CountsDepth) writer.Descend(type);
        subtype.Codec.WriteBoxed(writer, value);
        if (!subtype.CountsDepth) writer.Ascend();
    }

    /// <summary>Reads the value behind a marker of 2 or more.</summary>
    /// <returns>A value that a member of type <paramref name="declared"/> can hold.</returns>
    public static object? Read(ref BlockReader reader, uint marker, Type declared)
    {
        var table = reader.Types;
        var number = marker - FirstInTable;
        if (number == (uint)table.Count)
        {
            var name = reader.ReadString() ?? "";
            var hash = reader.ReadRaw<ulong>();
            table.Add(reader.Scope?.Find(declared, name, hash) ?? throw Unknown(declared, name, hash));
        }
        if (number >= (uint)table.Count)
            throw new CorruptDataException($"The data names type {number} of {table.Count} where it holds a {TypeNames.Short(declared)}.");

        var subtype = table[(int)number];
        if (!declared.IsAssignableFrom(subtype.Type))
            throw new CorruptDataException($"The data holds a {TypeNames.Of(subtype.Type)} where a {TypeNames.Of(declared)} belongs.");

        if (!subtype.CountsDepth) reader.Descend(subtype.Type);
        var value = subtype.Codec.ReadBoxed(ref reader);
        if (!subtype.CountsDepth) reader.Ascend();
        return value;
    }

    // What a collection expression gives for IReadOnlyList<T>, and read-only views: they hold no more than their elements.
    private static Array? AsArray(object value, Type declared)
    {
        var type = value.GetType();
        var isView = type.IsGenericType
            && (type.GetGenericTypeDefinition() == typeof(ReadOnlyCollection<>) || type.Name.StartsWith("<>z__ReadOnly", StringComparison.Ordinal));
        if (!isView || !declared.IsAssignableFrom(type.GetGenericArguments()[0].MakeArrayType()))
            return null;

        var items = (ICollection)value;
        var array = Array.CreateInstance(type.GetGenericArguments()[0], items.Count);
        items.CopyTo(array, 0);
        return array;
    }

    private static CodecException Unknown(Type declared, Type actual)
    {
        var (have, want) = (TypeNames.Short(actual), TypeNames.Short(declared));
        var isLazy = typeof(IEnumerable).IsAssignableFrom(actual) && CodeOrigin.IsPlatform(actual.Assembly)
            && !actual.IsArray && Containers.Find(actual) is null;
        return new CodecException(isLazy
            ? $"{have} can't be encoded where {want} is declared: it is not a collection but a recipe or a view of one; "
              + "next: keep a copy, with ToArray() or ToList()."
            : $"{have} can't be encoded where {want} is declared: it is not known to stand in for it; "
              + $"next: call CodecRegistry.RegisterSubtypes<{want}>(typeof({have})) in a module initializer of its assembly.");
    }

    private static CodecException Unknown(Type declared, string name, ulong hash) => new(
        $"The data holds '{name}' (schema {hash:x16}) where {TypeNames.Of(declared)} is declared, "
        + "and no type of that name and format is known here; "
        + $"next: use the same code on both sides, or call CodecRegistry.RegisterSubtypes<{TypeNames.Short(declared)}> in a module initializer.");
}

/// <summary>The types that open values of one block have had so far, in the order in which they first came.</summary>
internal sealed class TypeTable
{
    private readonly List<SubtypeCodec> _entries = [];
    private readonly Dictionary<Type, int> _numbers = [];
    private Type? _lastType;
    private int _lastNumber;

    public int Count => _entries.Count;

    public SubtypeCodec this[int number] => _entries[number];

    public int Add(SubtypeCodec subtype)
    {
        _numbers[subtype.Type] = _entries.Count;
        _entries.Add(subtype);
        return _entries.Count - 1;
    }

    // Runs of one type are common, and one comparison is all they cost.
    public bool TryFind(Type type, out int number)
    {
        number = _lastNumber;
        if (type == _lastType)
            return true;
        if (!_numbers.TryGetValue(type, out number))
            return false;
        (_lastType, _lastNumber) = (type, number);
        return true;
    }

    public void Clear()
    {
        _entries.Clear();
        _numbers.Clear();
        _lastType = null;
    }
}
