using System.Reflection;
using System.Reflection.Emit;
using Dataflow.Codecs;
using Dataflow.Sql.Records;
using Utf8 = System.Text.Unicode.Utf8;

namespace Dataflow.Streaming.Groups;

/// <summary>
/// Keys that are a column as it is: <c>(Click click) => click.User</c>, of a record that does nothing but keep what it is made of. Then no objects need be made of rows to know
/// their keys.
/// </summary>
internal static class PlainKey
{
    /// <summary>The column that is the key of rows; -1 where that can't be told for sure.</summary>
    /// <param name="key">Gives the key of a row.</param>
    /// <param name="rows">The columns that rows are made of.</param>
    public static int Find<TRow, TKey>(Func<TRow, TKey> key, Schema rows)
    {
        if (!(typeof(TKey).IsPrimitive || typeof(TKey) == typeof(string)) || typeof(TRow).IsValueType || FieldOf(key.Method, typeof(TRow)) is not { } field || field.FieldType != typeof(TKey)) return -1;
        var fields = typeof(TRow).GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        if (typeof(TRow).BaseType != typeof(object) || StoringConstructor.Find(typeof(TRow), fields) is not { Constructor: { IsPublic: true } constructor } storing) return -1;
        var parameters = constructor.GetParameters();
        var others = typeof(TRow).GetProperties().Where(property => property.SetMethod is { IsPublic: true }).Select(property => property.Name).Except(parameters.Select(parameter => parameter.Name!), StringComparer.OrdinalIgnoreCase);
        if (others.Any() || typeof(TRow).GetConstructors().Any(other => other != constructor && other.GetParameters().Length >= parameters.Length)) return -1;
        var stored = Array.FindIndex(storing.FieldOfParameter, each => fields[each] == field);
        var column = stored < 0 || parameters.Any(parameter => rows.IndexOf(parameter.Name!) < 0) ? -1 : rows.IndexOf(parameters[stored].Name!);
        return column >= 0 && rows[column].Type == RecordShape<TKey>.Find().Schema[0].Type ? column : -1;
    }

    /// <summary>Whether values are keys as they are: text that is not UTF-8 becomes other text in an object, and null may become an error.</summary>
    /// <param name="values">The column.</param>
    /// <param name="rows">Which rows of it.</param>
    public static unsafe bool IsKey(ColumnVector values, ReadOnlySpan<ushort> rows)
    {
        if (!values.HasNoNulls) return false;
        if (values.Type.Physical != PhysicalType.View) return true;
        foreach (var row in rows)
        {
            if (!Utf8.IsValid(StringView.BytesOf((StringView*)values.ValueAt(row)))) return false;
        }
        return true;
    }

    // The field behind the property that a function reads and gives, if that is all that it does.
    private static FieldInfo? FieldOf(MethodInfo function, Type type)
    {
        var argument = function.IsStatic ? OpCodes.Ldarg_0 : OpCodes.Ldarg_1;
        if (OperandOf(function, argument, code => code == OpCodes.Callvirt.Value || code == OpCodes.Call.Value) is not { } call) return null;
        if (Resolve(() => function.Module.ResolveMethod(call, function.DeclaringType?.GetGenericArguments(), function.GetGenericArguments())) is not MethodInfo getter) return null;
        if (getter.DeclaringType != type || getter.IsStatic || getter.IsVirtual || OperandOf(getter, OpCodes.Ldarg_0, code => code == OpCodes.Ldfld.Value) is not { } load) return null;
        return Resolve(() => getter.Module.ResolveField(load, type.GetGenericArguments(), null)) is { } field && field.DeclaringType == type
            ? type.GetField(field.Name, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            : null;
    }

    // Of code that is: an argument, one instruction with a token, the end.
    private static int? OperandOf(MethodInfo method, OpCode argument, Func<int, bool> isWanted) =>
        method.GetMethodBody()?.GetILAsByteArray() is [var first, var code, _, _, _, _, var last] il && first == argument.Value && isWanted(code) && last == OpCodes.Ret.Value
            ? BitConverter.ToInt32(il, 2)
            : null;

    private static T? Resolve<T>(Func<T?> token) where T : class
    {
        try
        {
            return token();
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
