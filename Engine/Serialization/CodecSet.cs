using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Dataflow.Codecs;

namespace Dataflow.Serialization;

/// <summary>The codecs of one process, or of one test. Building is under one lock; finding a built one takes none.</summary>
/// <param name="compiles">Whether codecs of classes and structs are compiled; else they use reflection, with the same bytes, far
/// slower.</param>
internal sealed class CodecSet(bool compiles)
{
    private readonly ConcurrentDictionary<Type, CodecRef> _built = new();
    private readonly ConcurrentDictionary<Type, SubtypeCodec> _subtypes = new();
    private readonly Dictionary<Type, TypeShape> _shapes = [];
    private readonly Dictionary<Type, object> _registered = new() { [typeof(Storage.Slab)] = new Storage.SlabCodec() };
    private readonly Lock _building = new();

    /// <summary>The set that <see cref="Codec{T}.Default"/> reads.</summary>
    public static CodecSet Shared { get; } = new(compiles: RuntimeFeature.IsDynamicCodeSupported);

    /// <summary>Types registered to stand in for others. Replaced when one comes, never changed.</summary>
    public Type[] RegisteredSubtypes { get; private set; } = [];

    public Codec<T> For<T>() => ((CodecRef<T>)For(typeof(T))).Codec;

    /// <summary>The codec of a type that is known only at run time.</summary>
    public CodecRef For(Type type)
    {
        if (_built.TryGetValue(type, out var built))
            return built;
        lock (_building)
        {
            if (_built.TryGetValue(type, out built))
                return built;

            // Published together, when all are made: none may be seen whose parts are still missing.
            var made = new Dictionary<Type, CodecRef>();
            built = Make(new ShapeWalk(this, _shapes).Run(type), made);
            foreach (var (of, codec) in made) _built.TryAdd(of, codec);
            return built;
        }
    }

    /// <summary>The codec of a type that stands in for another.</summary>
    public SubtypeCodec Subtype(Type type)
    {
        if (_subtypes.TryGetValue(type, out var known))
            return known;
        var codec = For(type).Boxed;
        lock (_building)
            return _subtypes.GetOrAdd(type, new SubtypeCodec(type, codec, _shapes[type] is { Kind: ShapeKind.Fields, IsRecursive: true }));
    }

    /// <summary>The codec someone registered for a type, if any.</summary>
    public object? Registered(Type type) => _registered.GetValueOrDefault(type);

    public void Register<T>(Codec<T> codec)
    {
        ArgumentNullException.ThrowIfNull(codec);
        lock (_building)
        {
            // A shape without a codec counts too: compiled codecs of other types have its fields built in.
            if (_shapes.ContainsKey(typeof(T)))
                throw new InvalidOperationException(
                    $"{TypeNames.Of(typeof(T))} already has a codec in use; next: register yours before the first dataset that holds it is made.");
            _registered.Add(typeof(T), codec);
        }
    }

    public void RegisterSubtypes(Type declared, ReadOnlySpan<Type> subtypes)
    {
        lock (_building)
        {
            var before = RegisteredSubtypes;
            foreach (var subtype in subtypes)
            {
                if (subtype is null || subtype.IsAbstract || subtype.ContainsGenericParameters || !declared.IsAssignableFrom(subtype))
                    throw new ArgumentException(
                        $"{(subtype is null ? "null" : TypeNames.Of(subtype))} can't stand in for {TypeNames.Of(declared)}: "
                        + "name closed, concrete types that derive from it.",
                        nameof(subtypes));
                RegisteredSubtypes = [.. RegisteredSubtypes, subtype];
            }

            // All are known before the first codec is made: they may hold each other.
            try
            {
                foreach (var subtype in subtypes) For(subtype);
            }
            catch (CodecException)
            {
                RegisteredSubtypes = before;
                throw;
            }
        }
    }

    public bool CanEncode(Type type, [NotNullWhen(false)] out string? why)
    {
        try
        {
            For(type);
            why = null;
            return true;
        }
        catch (CodecException error)
        {
            why = error.Message;
            return false;
        }
    }

    private CodecRef Make(TypeShape shape, Dictionary<Type, CodecRef> made)
    {
        if (_built.TryGetValue(shape.Type, out var known) || made.TryGetValue(shape.Type, out known))
            return known;
        var codec = made[shape.Type] = CodecRef.For(shape.Type);
        codec.Set(MakeCodec(shape, part => Make(part, made)));
        return codec;
    }

    private object MakeCodec(TypeShape shape, Func<TypeShape, CodecRef> partOf) => shape.Kind switch
    {
        ShapeKind.Custom => shape.Codec!,
        ShapeKind.Scalar when shape.Type == typeof(string) => new StringCodec(shape),
        ShapeKind.Scalar => Activator.CreateInstance(typeof(ScalarCodec<>).MakeGenericType(shape.Type), shape)!,
        ShapeKind.Blit => Activator.CreateInstance(typeof(BlitCodec<>).MakeGenericType(shape.Type), shape)!,
        ShapeKind.Open => Activator.CreateInstance(typeof(OpenCodec<>).MakeGenericType(shape.Type), shape)!,
        ShapeKind.Container => Activator.CreateInstance(shape.CodecType!, [shape, .. shape.Parts.Select(partOf)])!,
        _ when compiles => Activator.CreateInstance(typeof(CompiledCodec<>).MakeGenericType(shape.Type), shape, partOf)!,
        _ => Activator.CreateInstance(typeof(ReflectedCodec<>).MakeGenericType(shape.Type), shape, shape.Parts.Select(partOf).ToArray())!,
    };
}
