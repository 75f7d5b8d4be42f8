using System.Linq.Expressions;
using System.Reflection;
using Dataflow.Serialization;

namespace Dataflow.Hashing;

/// <summary>Makes the hasher of a type from its shape: compiled, or by reflection where code can't be made. Both give the same values.</summary>
internal static class KeyHashers
{
    /// <summary>The hasher of a type; one that throws when used if the type can't be a key.</summary>
    /// <param name="compiles">Whether code can be made at run time.</param>
    public static KeyHasher<TKey> Create<TKey>(bool compiles)
    {
        if (typeof(TKey) == typeof(string))
            return (KeyHasher<TKey>)(object)new TextHasher();

        var shape = KeyShape.Of(typeof(TKey));
        switch (shape.Kind)
        {
            case KeyKind.Refused:
                return new RefusedHasher<TKey>();
            case KeyKind.BuiltIn:
                return new StepHasher<TKey>(BuiltInHashes.StepOf<TKey>());
            case KeyKind.Registered:
                var hash = StableHash.Registered<TKey>()!;
                return new StepHasher<TKey>((state, key) => Mixing.Add(state, hash(key)));
            case var _ when !compiles:
                return new ReflectedHasher<TKey>();
        }

        var generic = typeof(TKey).IsGenericType ? typeof(TKey).GetGenericTypeDefinition() : null;
        var hasher = generic == typeof(Nullable<>) ? typeof(OptionalHasher<>)
            : generic == typeof(ValueTuple<,>) ? typeof(PairHasher<,>)
            : generic == typeof(ValueTuple<,,>) ? typeof(TripleHasher<,,>)
            : null;
        if (hasher is not null)
            return (KeyHasher<TKey>)Activator.CreateInstance(hasher.MakeGenericType(typeof(TKey).GetGenericArguments()))!;

        var step = Compile<TKey>(shape);
        return shape.IsRecordClass && !typeof(TKey).IsSealed ? new DerivedHasher<TKey>(step) : new StepHasher<TKey>(step);
    }

    /// <summary>Adds a value of a type known only at run time, member by member.</summary>
    public static ulong AddBoxed(ulong state, object? value)
    {
        if (value is null)
            return Mixing.AddNull(state);

        var type = value.GetType();
        var shape = KeyShape.Of(type);
        switch (shape.Kind)
        {
            case KeyKind.BuiltIn:
                return BuiltInHashes.BoxedStepOf(type)(state, value);
            case KeyKind.Registered:
                return Mixing.Add(state, StableHash.RegisteredBoxed(type)(value));
            case KeyKind.Enum:
                return Mixing.Add(state, EnumBits(value));
            case KeyKind.Refused:
                throw StableHash.Refusal(type);
        }
        if (shape.IsRecordClass)
            state = Mixing.Add(state, Mark(type));
        foreach (var member in shape.Members)
            state = AddBoxed(state, member.GetValue(value));
        return shape.Members.Length == 0 ? Mixing.Add(state, 0) : state;
    }

    /// <summary>A step over keys declared as <typeparamref name="TKey"/> that are in truth of a derived type.</summary>
    public static HashStep<TKey> CompileDerived<TKey>(Type derived)
    {
        var state = Expression.Parameter(typeof(ulong), "state");
        var key = Expression.Parameter(typeof(TKey), "key");
        return Expression.Lambda<HashStep<TKey>>(Expression.Call(AddOf(derived), state, Expression.Convert(key, derived)), state, key).Compile();
    }

    private static HashStep<TKey> Compile<TKey>(KeyShape shape)
    {
        var state = Expression.Parameter(typeof(ulong), "state");
        var key = Expression.Parameter(typeof(TKey), "key");
        Expression result = state;
        if (shape.IsRecordClass)
            result = Expression.Call(MixingAdd, result, Expression.Constant(Mark(shape.Type)));
        foreach (var member in shape.Members)
            result = Expression.Call(AddOf(member.FieldType), result, Expression.Field(key, member));
        if (shape.Members.Length == 0)
            result = Expression.Call(MixingAdd, result, Expression.Constant(0ul));
        return Expression.Lambda<HashStep<TKey>>(result, state, key).Compile();
    }

    // Records of different types differ, even when one derives from the other and adds nothing.
    private static ulong Mark(Type type) => TextHash.Of(TypeNames.Of(type));

    private static ulong EnumBits(object value) => Type.GetTypeCode(value.GetType()) switch
    {
        TypeCode.Byte => (byte)value,
        TypeCode.SByte => (byte)(sbyte)value,
        TypeCode.Int16 => (ushort)(short)value,
        TypeCode.UInt16 => (ushort)value,
        TypeCode.Int32 => (uint)(int)value,
        TypeCode.UInt32 => (uint)value,
        TypeCode.Int64 => (ulong)(long)value,
        _ => (ulong)value,
    };

    private static readonly MethodInfo MixingAdd = typeof(Mixing).GetMethod(nameof(Mixing.Add))!;

    private static MethodInfo AddOf(Type type) => typeof(StableHash<>).MakeGenericType(type)
        .GetMethod(nameof(StableHash<>.Add), BindingFlags.Static | BindingFlags.NonPublic)!;
}
