using System.Diagnostics.CodeAnalysis;

namespace Dataflow.Serialization;

/// <summary>
/// Where codecs come from: one for each element type, your own where you registered one, compiled from the type's fields otherwise.
/// </summary>
/// <remarks>
/// The registry is per process. Register in a module initializer or static constructor of the assembly that holds the types, so that
/// every process that runs its code has the same codecs; in the driver's <c>Main</c> alone, other processes would not know.
/// </remarks>
public static class CodecRegistry
{
    /// <summary>Uses your codec for <typeparamref name="T"/>, as an element and as a member of other types.</summary>
    /// <param name="codec">Stateless, safe for many threads, writing at least one byte an element; of a class it must take null
    /// too.</param>
    /// <exception cref="InvalidOperationException">A codec of <typeparamref name="T"/> is in use already: its bytes may be
    /// stored.</exception>
    public static void Register<T>(Codec<T> codec) => CodecSet.Shared.Register(codec);

    /// <summary>The codec of <typeparamref name="T"/>, the same as <see cref="Codec{T}.Default"/>.</summary>
    /// <exception cref="CodecException">The type can't be encoded; the message names the member by its path.</exception>
    public static Codec<T> For<T>() => Codec<T>.Default;

    /// <summary>
    /// Names types that may stand where <typeparamref name="TDeclared"/> is declared: an interface, an abstract or unsealed class, object.
    /// </summary>
    /// <remarks>
    /// Not needed for types derived from a class or interface of your own in the same assembly, nor for types that the element type is made
    /// of.
    /// Readers make no value of a type that they don't know so: a name in the data is only looked up among these.
    /// </remarks>
    /// <param name="subtypes">Closed, concrete types that derive from <typeparamref name="TDeclared"/>.</param>
    /// <exception cref="ArgumentException">One is abstract, open or does not derive from it.</exception>
    /// <exception cref="CodecException">One can't be encoded.</exception>
    public static void RegisterSubtypes<TDeclared>(params ReadOnlySpan<Type> subtypes) =>
        CodecSet.Shared.RegisterSubtypes(typeof(TDeclared), subtypes);

    /// <summary>Whether elements of this type can be encoded. Costs as much as building the codec, once.</summary>
    /// <param name="type">The element type.</param>
    /// <param name="why">If not: the member that can't be, by its path, why, and what to do next.</param>
    public static bool CanEncode(Type type, [NotNullWhen(false)] out string? why)
    {
        ArgumentNullException.ThrowIfNull(type);
        return CodecSet.Shared.CanEncode(type, out why);
    }
}
