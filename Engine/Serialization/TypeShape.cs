using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using Dataflow.Codecs;

namespace Dataflow.Serialization;

/// <summary>How the values of a type become bytes.</summary>
internal enum ShapeKind
{
    /// <summary>A codec someone registered.</summary>
    Custom,

    /// <summary>One value with a format of its own: <see cref="Scalars"/>.</summary>
    Scalar,

    /// <summary>The memory itself.</summary>
    Blit,

    /// <summary>A collection, an optional value or an inline array: one of our generic codecs over the codecs of its parts.</summary>
    Container,

    /// <summary>A class or struct, field by field.</summary>
    Fields,

    /// <summary>An interface, an abstract class or object: the value's own type decides.</summary>
    Open,
}

/// <summary>What was found out about a type before its codec is made: all that writer, reader and schema are derived from.</summary>
/// <remarks>Made by <see cref="ShapeWalk"/>. Shapes form a graph, with cycles where types refer to themselves; finished ones don't
/// change.</remarks>
internal sealed class TypeShape(Type type, CodecSet set)
{
    private Schema? _schema;
    private TypeScope? _scope;

    /// <summary>The type.</summary>
    public Type Type { get; } = type;

    /// <summary>How its values become bytes.</summary>
    public required ShapeKind Kind { get; init; }

    /// <summary>
    /// Container: the closed codec type, whose constructor takes this shape and a <see cref="CodecRef{T}"/> for each part.
    /// </summary>
    public Type? CodecType { get; init; }

    /// <summary>Custom: the registered codec.</summary>
    public object? Codec { get; init; }

    /// <summary>Fields: what is written, base classes first, in the order of declaration.</summary>
    public FieldInfo[] Fields { get; set; } = [];

    /// <summary>Fields: the shapes of <see cref="Fields"/>. Container: those of its elements. Open: those of its likely values.</summary>
    public TypeShape[] Parts { get; set; } = [];

    /// <summary>Fields: some are left out, so that a reused struct must be cleared.</summary>
    public bool SkipsFields { get; set; }

    /// <summary>Blit: where the fields of a struct lie; part of the schema, since layout is the format.</summary>
    public MemoryLayout? Layout { get; init; }

    /// <summary>Whether a value can hold another one of this type, so that its depth must be limited.</summary>
    public bool IsRecursive { get; private set; }

    /// <summary>Whether a value can hold one of a type that only the value knows.</summary>
    public bool HoldsOpen { get; private set; }

    /// <summary>See <see cref="Codec{T}.IsRepeatable"/>.</summary>
    public bool IsRepeatable => !Reachable().Any(
        static part => part.Kind is ShapeKind.Custom or ShapeKind.Open || (part.Kind == ShapeKind.Container && Containers.OrdersByHashCode(part.Type)));

    /// <summary>Whether values may be of a derived type.</summary>
    public bool IsOpen => Kind == ShapeKind.Open || (Kind == ShapeKind.Fields && Type is { IsValueType: false, IsSealed: false });

    /// <summary>The format as text and hash. Computed once; two threads may both do so, to the same end.</summary>
    public Schema Schema => _schema ??= new Schema(Describe());

    /// <summary>The types that open members of this one's values may have.</summary>
    public TypeScope Scope => _scope ??= new TypeScope(set, this);

    /// <summary>All shapes that can be reached from this one, itself included.</summary>
    public HashSet<TypeShape> Reachable()
    {
        var seen = new HashSet<TypeShape> { this };
        Visit(this, seen);
        return seen;
    }

    /// <summary>Works out what depends on the whole graph, once all parts are known.</summary>
    public void Finish()
    {
        var seen = new HashSet<TypeShape>();
        Visit(this, seen);
        IsRecursive = seen.Contains(this);
        HoldsOpen = IsOpen || seen.Any(shape => shape.IsOpen);
    }

    private static void Visit(TypeShape shape, HashSet<TypeShape> seen)
    {
        foreach (var part in shape.Parts)
            if (seen.Add(part)) Visit(part, seen);
    }

    private string Describe()
    {
        var text = new StringBuilder();
        Describe(text, []);
        return text.ToString();
    }

    private void Describe(StringBuilder text, HashSet<TypeShape> seen)
    {
        switch (Kind)
        {
            case ShapeKind.Custom:
                text.Append(TypeNames.Of(Type)).Append(":custom ").Append(((IBoxedCodec)Codec!).SchemaHash.ToString("x16"));
                break;
            case ShapeKind.Blit when Layout is not null:
                text.Append(TypeNames.Of(Type)).Append(Layout.Text);
                break;
            case ShapeKind.Container when Nullable.GetUnderlyingType(Type) is not null:
                Parts[0].Describe(text, seen);
                text.Append('?');
                break;
            case ShapeKind.Container when Type.IsArray:
                Parts[0].Describe(text, seen);
                text.Append('[').Append(',', Type.GetArrayRank() - 1).Append(']');
                break;
            case ShapeKind.Container:
                // The elements in full: the collection's own name would name them without their fields.
                text.Append(TypeNames.WithoutArguments(Type)).Append('<');
                for (var i = 0; i < Parts.Length; i++)
                {
                    if (i > 0) text.Append(", ");
                    Parts[i].Describe(text, seen);
                }
                text.Append('>');
                break;
            case ShapeKind.Fields:
                text.Append(TypeNames.Of(Type));
                if (!seen.Add(this)) break;
                text.Append('{');
                for (var i = 0; i < Fields.Length; i++)
                {
                    if (i > 0) text.Append(", ");
                    text.Append(TypeNames.Of(Fields[i])).Append(':');
                    Parts[i].Describe(text, seen);
                }
                text.Append('}');
                break;
            default:
                text.Append(TypeNames.Of(Type));
                break;
        }
    }
}

/// <summary>What a codec's bytes hold, as text, and the hash of that text that stands in block headers.</summary>
internal sealed class Schema
{
    // For the error about a block of another schema: those of this process are told by their text.
    private static readonly ConcurrentDictionary<ulong, string> Known = new();

    /// <summary>Hashes the text and remembers it. Equal texts mean equal formats.</summary>
    public Schema(string text)
    {
        Text = text;
        Hash = HashOf(text);
        Known.TryAdd(Hash, text);
    }

    /// <summary>The text.</summary>
    public string Text { get; }

    /// <summary>64 bits, the same in every process.</summary>
    public ulong Hash { get; }

    /// <summary>The text behind a hash, if this process has made it; else the hash.</summary>
    public static string Describe(ulong hash) =>
        $"{(Known.TryGetValue(hash, out var text) ? text : "an element type that this process has not met")} (schema {hash:x16})";

    // FNV-1a over UTF-16, then the finaliser of MurmurHash3 (Austin Appleby), which spreads the last characters over all bits. It tells
    // formats apart by mistake, not against an attacker; SHA-256 would load OpenSSL, which takes longer than the whole first job may.
    private static ulong HashOf(string text)
    {
        var hash = 0xCBF2_9CE4_8422_2325;
        foreach (var c in text) hash = (hash ^ c) * 0x100_0000_01B3;
        hash = (hash ^ (hash >> 33)) * 0xFF51_AFD7_ED55_8CCD;
        hash = (hash ^ (hash >> 33)) * 0xC4CE_B9FE_1A85_EC53;
        return hash ^ (hash >> 33);
    }
}
