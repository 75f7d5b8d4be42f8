using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Dataflow.Serialization;

/// <summary>The codecs of one process, or of one test. Building is under one lock; finding a built one takes none.</summary>
internal sealed class CodecSet
{
    private readonly ConcurrentDictionary<Type, object> _built = new();
    private readonly Dictionary<Type, object> _registered = [];
    private readonly Lock _building = new();

    /// <summary>The set that <see cref="Codec{T}.Default"/> reads.</summary>
    public static CodecSet Shared { get; } = new();

    public Codec<T> For<T>() => (Codec<T>)For(typeof(T));

    public void Register<T>(Codec<T> codec)
    {
        ArgumentNullException.ThrowIfNull(codec);
        lock (_building)
        {
            if (_built.ContainsKey(typeof(T)))
                throw new InvalidOperationException(
                    $"{TypeNames.Of(typeof(T))} already has a codec in use. Register yours before the first dataset of that type is made.");
            _registered.Add(typeof(T), codec);
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

    private object For(Type type)
    {
        if (_built.TryGetValue(type, out var built))
            return built;
        lock (_building)
            return _built.GetOrAdd(type, Build);
    }

    private object Build(Type type)
    {
        if (_registered.TryGetValue(type, out var registered))
            return registered;
        if (type == typeof(string))
            return new StringCodec();
        if (type.IsPrimitive && type != typeof(nint) && type != typeof(nuint))
            return Activator.CreateInstance(typeof(BlitCodec<>).MakeGenericType(type), new Schema(TypeNames.Of(type)))!;
        throw new CodecException($"{TypeNames.Of(type)} can't be encoded yet.");
    }
}
