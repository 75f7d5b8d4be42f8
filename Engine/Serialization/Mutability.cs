using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Dataflow.Serialization;

/// <summary>
/// Whether objects of a type can be changed in place. Rows of a shuffle are kept as the objects they are and read by several tasks: by retries, by
/// speculative copies, by later jobs. Where a verb lets the user merge in place, what can be changed is kept as bytes instead, and each reader makes objects of its own.
/// </summary>
internal static class Mutability
{
    private static readonly ConcurrentDictionary<Type, bool> Known = new();

    /// <summary>False for numbers, texts, and what consists of nothing else and has no field that can be set.</summary>
    public static bool MayChange<T>() => RuntimeHelpers.IsReferenceOrContainsReferences<T>() && Known.GetOrAdd(typeof(T), static type => MayChange(type, []));

    private static bool MayChange(Type type, HashSet<Type> within)
    {
        if (type.IsPrimitive || type.IsEnum || type.IsPointer || type == typeof(string)) return false;
        if (type.IsArray || type.IsInterface || type == typeof(object)) return true;

        // A type that holds itself changes if something else in it does.
        if (!within.Add(type)) return false;

        // A class that others derive from may be anything at run time.
        if (!type.IsValueType && !type.IsSealed) return true;
        for (var at = type; at is not null && at != typeof(object) && at != typeof(ValueType); at = at.BaseType)
        {
            foreach (var field in at.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                // A struct lies in the row itself, and rows are copied: only what it refers to can be changed for others.
                if ((!type.IsValueType && !field.IsInitOnly) || MayChange(field.FieldType, within)) return true;
            }
        }
        return false;
    }
}
