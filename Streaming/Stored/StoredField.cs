using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;
using Dataflow.Serialization;

namespace Dataflow.Streaming.Stored;

/// <summary>A field of a record that is kept.</summary>
/// <typeparam name="T">The record.</typeparam>
internal abstract class StoredField<T>(StoredFieldShape shape)
{
    /// <summary>What it is.</summary>
    public StoredFieldShape Shape => shape;

    public abstract void Write(BlockWriter writer, ref T value);

    public abstract void Read(ref BlockReader reader, ref T value);

    /// <summary>The fields of a type, those of base classes first; null for what is written as a whole: plain values, collections, tuples, types with codecs of their own.</summary>
    /// <param name="schema">What the type's codec writes.</param>
    public static StoredField<T>[]? Of(string schema)
    {
        var type = typeof(T);
        if (!schema.EndsWith('}') || type.IsAbstract || type.IsInterface || type.IsArray || typeof(System.Runtime.CompilerServices.ITuple).IsAssignableFrom(type)
            || typeof(System.Collections.IEnumerable).IsAssignableFrom(type) || Nullable.GetUnderlyingType(type) is not null || type.Assembly == typeof(object).Assembly)
        {
            return null;
        }
        var fields = new List<StoredField<T>>();
        var nullability = new NullabilityInfoContext();
        for (var declaring = type; declaring is not null && declaring != typeof(object) && declaring != typeof(ValueType); declaring = declaring.BaseType)
        {
            var own = declaring.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .Where(field => !field.IsDefined(typeof(NonSerializedAttribute))).OrderBy(field => field.MetadataToken)
                .Select(field => (StoredField<T>)Activator.CreateInstance(typeof(StoredField<,>).MakeGenericType(type, field.FieldType), field, IsNullable(field, nullability))!);
            fields.InsertRange(0, own);
        }
        return fields.Count == 0 || fields.DistinctBy(field => field.Shape.Name).Count() < fields.Count ? null : [.. fields];
    }

    private static bool IsNullable(FieldInfo field, NullabilityInfoContext context) => field.FieldType.IsValueType
        ? Nullable.GetUnderlyingType(field.FieldType) is not null
        : context.Create(field).ReadState != NullabilityState.NotNull;
}

/// <summary>A field of a record that is kept.</summary>
/// <typeparam name="T">The record.</typeparam>
/// <typeparam name="V">The type of the field.</typeparam>
internal sealed class StoredField<T, V>(FieldInfo field, bool isNullable) : StoredField<T>(new StoredFieldShape(NameOf(field), Codec<V>.Default.Schema, isNullable))
{
    private readonly Codec<V> _codec = Codec<V>.Default;
    private readonly Getter _get = MakeGetter(field);
    private readonly Setter _set = MakeSetter(field);

    private delegate V Getter(ref T from);

    private delegate void Setter(ref T to, V value);

    public override void Write(BlockWriter writer, ref T value)
    {
        var part = _get(ref value);
        _codec.Write(writer, new ReadOnlySpan<V>(in part));
    }

    public override void Read(ref BlockReader reader, ref T value)
    {
        var part = default(V)!;
        _codec.Read(ref reader, System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref part, 1));
        _set(ref value, part);
    }

    // As its author named it: the property behind a field that the compiler made.
    private static string NameOf(FieldInfo field) => field.Name.StartsWith('<') && field.Name.IndexOf('>') is > 1 and var end ? field.Name[1..end] : field.Name;

    private static Getter MakeGetter(FieldInfo field)
    {
        var from = Expression.Parameter(typeof(T).MakeByRefType());
        return Expression.Lambda<Getter>(Expression.Field(from, field), from).Compile();
    }

    // Fields of records are read-only for all but their constructor.
    private static Setter MakeSetter(FieldInfo field)
    {
        var method = new DynamicMethod($"set {field.Name}", null, [typeof(T).MakeByRefType(), typeof(V)], typeof(T).IsInterface ? typeof(object) : typeof(T), skipVisibility: true);
        var code = method.GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        if (!typeof(T).IsValueType) code.Emit(OpCodes.Ldind_Ref);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Stfld, field);
        code.Emit(OpCodes.Ret);
        return method.CreateDelegate<Setter>();
    }
}
