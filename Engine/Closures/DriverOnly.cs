using System.Runtime.CompilerServices;
using Dataflow.Diagnostics;
using Dataflow.Errors;

namespace Dataflow.Closures;

/// <summary>Tells by declared type whether a variable holds what lives in the driver only, or might.</summary>
internal static class DriverOnly
{
    /// <summary>The driver-only type that a value of this type is, or is a sequence, array or tuple of; null if there is none.</summary>
    public static Type? In(Type type) => In(type, depth: 4);

    /// <summary>Whether only the value tells: a delegate, which has captures of its own, or a type open enough for anything.</summary>
    public static bool MayBeIn(Type type) =>
        typeof(Delegate).IsAssignableFrom(type) || type.IsInterface || type == typeof(object)
        || (type is { IsClass: true, IsSealed: false, IsArray: false } && !CodeOrigin.IsPlatform(type.Assembly));

    // A sequence of sequences of its own kind has no end: nobody nests Rdds deeper than this.
    private static Type? In(Type type, int depth)
    {
        if (typeof(IDriverOnly).IsAssignableFrom(type))
            return type;
        if (depth == 0)
            return null;
        if (type.IsArray)
            return In(type.GetElementType()!, depth - 1);
        if (!type.IsGenericType || typeof(Delegate).IsAssignableFrom(type))
            return null;
        if (typeof(ITuple).IsAssignableFrom(type) || type.GetGenericTypeDefinition() == typeof(KeyValuePair<,>))
            return InAny(type.GetGenericArguments(), depth - 1);

        if (type.GetGenericTypeDefinition() == typeof(IEnumerable<>))
            return InAny(type.GetGenericArguments(), depth - 1);

        foreach (var face in type.GetInterfaces())
        {
            if (face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IEnumerable<>) && InAny(face.GetGenericArguments(), depth - 1) is { } held)
                return held;
        }

        return null;
    }

    private static Type? InAny(Type[] types, int depth)
    {
        foreach (var type in types)
        {
            if (In(type, depth) is { } held)
                return held;
        }

        return null;
    }
}
