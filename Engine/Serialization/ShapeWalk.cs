using System.Reflection;
using System.Runtime.CompilerServices;
using Dataflow.Closures;
using Dataflow.Codecs;
using Dataflow.Diagnostics;
using Dataflow.Errors;

namespace Dataflow.Serialization;

/// <summary>
/// Walks the types that values of one type can be made of, decides how each becomes bytes, and refuses by path what can't.
/// </summary>
/// <remarks>One walk for each codec built; what earlier walks found is used again. The path leads from the element type to the type being
/// looked at.</remarks>
internal sealed class ShapeWalk(CodecSet set, Dictionary<Type, TypeShape> known)
{
    // Deeper than any type written by hand: generic arguments that grow at each step.
    private const int DepthLimit = 200;

    private readonly Dictionary<Type, TypeShape> _found = [];
    private readonly List<(TypeShape Shape, string Path)> _open = [];
    private readonly List<string> _path = [];

    /// <summary>The shape of a type; it and all new ones it is made of are added to what is known.</summary>
    /// <exception cref="CodecException">Some part of it can't be encoded.</exception>
    public TypeShape Run(Type type)
    {
        var root = Visit(type, TypeNames.Short(type));
        foreach (var shape in _found.Values) shape.Finish();

        // Only now: the implementation of an interface may be found anywhere in the graph.
        foreach (var (shape, path) in _open)
            if (!root.Scope.Knows(shape.Type))
                throw Refusal(shape.Type, path, shape == root, "no class that implements it is known",
                    $"make the member's type a class, or name its classes with CodecRegistry.RegisterSubtypes<{TypeNames.Short(shape.Type)}>");

        foreach (var (found, shape) in _found) known.TryAdd(found, shape);
        return root;
    }

    private TypeShape Visit(Type type, string step)
    {
        if (known.TryGetValue(type, out var shape) || _found.TryGetValue(type, out shape))
            return shape;

        _path.Add(step);
        if (_path.Count > DepthLimit)
            throw Refusal(type, string.Concat(_path.Take(5)) + "...", false, "its types refer to ever new types without end",
                "make a recursive generic type refer to itself with the same arguments");
        shape = Classify(type);
        _path.RemoveAt(_path.Count - 1);
        return shape;
    }

    private TypeShape Classify(Type type)
    {
        if (set.Registered(type) is { } codec)
            return Add(new TypeShape(type, set) { Kind = ShapeKind.Custom, Codec = codec });
        if (Scalars.Find(type) is not null)
            return Add(new TypeShape(type, set) { Kind = ShapeKind.Scalar });

        RefuseWhatIsNoData(type);
        if (type.IsEnum || MemoryLayout.IsFixedBuffer(type))
            return Add(new TypeShape(type, set) { Kind = ShapeKind.Blit, Layout = MemoryLayout.Of(type) });
        if (MemoryLayout.IsAtom(type))
            return Add(new TypeShape(type, set) { Kind = ShapeKind.Blit });
        if (type.IsArray)
            return Container(type, Containers.CodecOfArray(type), [type.GetElementType()!], ["[]"]);
        if (Containers.Find(type) is { } container)
            return Container(type, container.Codec, type.GetGenericArguments(), container.Paths);
        if (type.IsDefined(typeof(InlineArrayAttribute), inherit: false))
            return InlineArray(type);
        if (type.IsInterface || type.IsAbstract || type == typeof(object))
            return Open(type);
        return Fields(type);
    }

    private TypeShape Add(TypeShape shape) => _found[shape.Type] = shape;

    private TypeShape Container(Type type, Type codec, Type[] parts, string[] paths)
    {
        var shape = Add(new TypeShape(type, set) { Kind = ShapeKind.Container, CodecType = codec });
        shape.Parts = new TypeShape[parts.Length];
        for (var i = 0; i < parts.Length; i++) shape.Parts[i] = Visit(parts[i], paths[i]);
        if (Containers.NeedsOrder(type) && !IsComparable(parts[0]))
            throw Refuse(type, $"{TypeNames.Short(parts[0])} has no order of its own (IComparable), and custom comparers don't travel",
                "implement IComparable on it, or keep a plain Dictionary or HashSet");
        return shape;
    }

    private TypeShape InlineArray(Type type)
    {
        var element = TypeNames.FieldsOf(type)[0].FieldType;
        var part = Visit(element, "[]");
        if (part.Kind == ShapeKind.Blit && MemoryLayout.Of(type) is { IsDense: true } layout)
            return Add(new TypeShape(type, set) { Kind = ShapeKind.Blit, Layout = layout });

        var codec = typeof(InlineArrayCodec<,>).MakeGenericType(type, element);
        var shape = Add(new TypeShape(type, set) { Kind = ShapeKind.Container, CodecType = codec });
        shape.Parts = [part];
        return shape;
    }

    private TypeShape Open(Type type)
    {
        var shape = Add(new TypeShape(type, set) { Kind = ShapeKind.Open });
        _open.Add((shape, string.Concat(_path)));

        // A collection interface most likely holds an array, a list or a dictionary: so its elements are checked now.
        if (Containers.LikelyFor(type).FirstOrDefault() is { } likely)
            shape.Parts = [Visit(likely, "")];
        return shape;
    }

    private TypeShape Fields(Type type)
    {
        var shape = Add(new TypeShape(type, set) { Kind = ShapeKind.Fields });
        var all = TypeNames.FieldsOf(type);
        var fields = all.Where(field => !field.IsDefined(typeof(NonSerializedAttribute))).ToArray();
        shape.Fields = fields;
        shape.SkipsFields = fields.Length < all.Count;
        shape.Parts = [.. fields.Select(field => Visit(field.FieldType, "." + TypeNames.Of(field)))];
        if (!type.IsValueType || shape.SkipsFields || fields.Length == 0)
            return shape;

        if (type.IsExplicitLayout)
            return Explicit(type);
        if (shape.Parts.All(part => part.Kind == ShapeKind.Blit) && MemoryLayout.Of(type) is { IsDense: true } layout)
            return Add(new TypeShape(type, set) { Kind = ShapeKind.Blit, Layout = layout });
        return shape;
    }

    // Fields may overlap, so only the memory as a whole means something.
    private TypeShape Explicit(Type type)
    {
        if (HoldsReferences(type))
            throw Refuse(type, "it lays out references by hand (LayoutKind.Explicit)", "keep the references in a struct of their own");
        var layout = MemoryLayout.Of(type);
        return Add(layout.IsDense
            ? new TypeShape(type, set) { Kind = ShapeKind.Blit, Layout = layout }
            : new TypeShape(type, set) { Kind = ShapeKind.Container, CodecType = typeof(MaskedCodec<>).MakeGenericType(type), Layout = layout });
    }

    private void RefuseWhatIsNoData(Type type)
    {
        const string keepValues = "keep the values you need from it";
        var register = $"or register a codec with CodecRegistry.Register<{TypeNames.Short(type)}>";

        if (type == typeof(void) || type.ContainsGenericParameters || (type.IsAbstract && type.IsSealed))
            throw Refuse(type, "it has no values", "name a type that has");
        if (type.IsPointer || type.IsFunctionPointer || type.IsUnmanagedFunctionPointer || type.IsByRef || type.IsByRefLike
            || type == typeof(nint) || type == typeof(nuint))
            throw Refuse(type, "an address or handle means nothing in another process", "keep the data it points to");
        if (typeof(Delegate).IsAssignableFrom(type))
            throw Refuse(type, "a delegate is code, not data", "keep the values it works on, or mark the field [field: NonSerialized] to leave it out");
        if (typeof(IDriverOnly).IsAssignableFrom(type))
            throw Refuse(type, "it lives in the driver program only", "collect it first, or use its elements in a join");
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(System.Numerics.Vector<>))
            throw Refuse(type, "its size differs from machine to machine", "keep an array");

        var platform = type.IsValueType ? null : FirstPlatformClass(type);
        if (platform is not null && typeof(IDisposable).IsAssignableFrom(type))
            throw Refuse(type, "it holds a resource of this process (it is IDisposable)",
                "keep what is needed to open it, a path or an address, and open it inside MapPartitions");
        if (platform == type)
            throw Refuse(type, "it is a class of .NET whose fields are its own affair", $"{keepValues}, {register}");
        if (platform is not null)
            throw Refuse(type, $"it derives from {TypeNames.Short(platform)}, a class of .NET with state of its own", $"{keepValues}, {register}");
        if (!type.IsValueType && HasFinalizer(type))
            throw Refuse(type, "it has a finalizer, so it owns a resource of this process", $"{keepValues}, {register}");
    }

    // The class itself, or the first below it that belongs to .NET and has fields. Those we know how to encode are none.
    private static Type? FirstPlatformClass(Type type)
    {
        if (type.IsInterface || type.IsArray || type == typeof(object) || Containers.Find(type) is not null || IsTuple(type))
            return null;
        if (CodeOrigin.IsPlatform(type.Assembly))
            return type;
        for (var declaring = type.BaseType; declaring is not null && declaring != typeof(object); declaring = declaring.BaseType)
            if (CodeOrigin.IsPlatform(declaring.Assembly) && TypeNames.FieldsOf(declaring).Count > 0)
                return declaring;
        return null;
    }

    private static bool IsTuple(Type type) => type.IsGenericType && typeof(ITuple).IsAssignableFrom(type) && type.Namespace == "System";

    private static bool HasFinalizer(Type type) =>
        type.GetMethod("Finalize", BindingFlags.Instance | BindingFlags.NonPublic, []) is { } method
        && method.GetBaseDefinition().DeclaringType == typeof(object) && method.DeclaringType != typeof(object);

    private static bool HoldsReferences(Type type) =>
        !type.IsValueType || (!type.IsPrimitive && TypeNames.FieldsOf(type).Any(field => HoldsReferences(field.FieldType)));

    private static bool IsComparable(Type type) =>
        typeof(IComparable).IsAssignableFrom(type) || typeof(IComparable<>).MakeGenericType(type).IsAssignableFrom(type)
        || Nullable.GetUnderlyingType(type) is not null || type == typeof(object) || type.IsInterface;

    private CodecException Refuse(Type type, string why, string next) => Refusal(type, string.Concat(_path), _path.Count == 1, why, next);

    private static CodecException Refusal(Type type, string path, bool isRoot, string why, string next) =>
        new($"{path}{(isRoot ? "" : $" ({TypeNames.Short(type)})")} can't be encoded: {why}; next: {next}.");
}
