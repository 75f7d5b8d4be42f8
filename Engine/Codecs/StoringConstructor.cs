using System.Reflection;
using System.Reflection.Emit;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>
/// A constructor that does nothing but store each of its parameters in a field: as compilers make for records, anonymous types and tuples.
/// </summary>
/// <remarks>Calling it is several times faster than making an empty object and filling it, and runs no code that a user wrote.</remarks>
/// <param name="Constructor">The constructor.</param>
/// <param name="FieldOfParameter">For each parameter, the index of the field that it is stored in.</param>
public sealed record StoringConstructor(ConstructorInfo Constructor, int[] FieldOfParameter)
{
    /// <summary>Finds the one that sets exactly these fields; null if the type has none.</summary>
    /// <param name="type">The type.</param>
    /// <param name="fields">Its fields.</param>
    public static StoringConstructor? Find(Type type, FieldInfo[] fields)
    {
        foreach (var constructor in type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            if (constructor.GetParameters().Length == fields.Length && FieldsSet(type, constructor, fields) is { } order)
                return new StoringConstructor(constructor, order);
        return null;
    }

    // Reads the IL: only "argument into field", "call object's constructor" and "return" may occur.
    private static int[]? FieldsSet(Type type, ConstructorInfo constructor, FieldInfo[] fields)
    {
        if (constructor.GetMethodBody()?.GetILAsByteArray() is not { } il)
            return null;

        var order = new int[fields.Length];
        Array.Fill(order, -1);
        for (var at = 0; at < il.Length;)
        {
            var code = il[at++];
            if (code == OpCodes.Nop.Value)
                continue;
            if (code == OpCodes.Ret.Value)
                return at == il.Length && !order.Contains(-1) ? order : null;
            if (code != OpCodes.Ldarg_0.Value || at + 5 > il.Length)
                return null;

            code = il[at++];
            if (code == OpCodes.Call.Value)
            {
                var called = constructor.Module.ResolveMethod(BitConverter.ToInt32(il, at), type.GetGenericArguments(), null);
                if (called is not ConstructorInfo || called.DeclaringType != typeof(object))
                    return null;
            }
            else
            {
                var parameter = code == OpCodes.Ldarg_S.Value ? il[at++] - 1 : code - OpCodes.Ldarg_1.Value;
                if (parameter < 0 || parameter >= order.Length || (code > OpCodes.Ldarg_3.Value && code != OpCodes.Ldarg_S.Value)
                    || at + 5 > il.Length || il[at++] != OpCodes.Stfld.Value)
                    return null;

                var stored = constructor.Module.ResolveField(BitConverter.ToInt32(il, at), type.GetGenericArguments(), null);
                var field = Array.FindIndex(fields,
                    field => field.MetadataToken == stored?.MetadataToken && field.DeclaringType == stored.DeclaringType);
                if (field < 0 || order[parameter] >= 0 || order.Contains(field))
                    return null;
                order[parameter] = field;
            }
            at += 4;
        }
        return null;
    }
}
