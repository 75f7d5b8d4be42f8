using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using Dataflow.Serialization;

namespace Dataflow.Sorting;

/// <summary>The order of keys when the program gives none: .NET's default, but ordinal wherever a text is compared, also within tuples.</summary>
/// <remarks>.NET compares texts by the culture of the thread, and two machines, or two runs, would sort the same tuples differently.</remarks>
/// <typeparam name="TKey">The key type.</typeparam>
internal static class NaturalOrder<TKey>
{
    /// <summary>The comparer; null comes first.</summary>
    public static IComparer<TKey> Comparer { get; } = Find();

    /// <summary>Compares two members of tuples.</summary>
    public static int Compare(TKey? x, TKey? y) => Comparer.Compare(x, y);

    private static IComparer<TKey> Find()
    {
        if (typeof(TKey) == typeof(string)) return (IComparer<TKey>)(object)StringComparer.Ordinal;
        return NaturalOrder.HoldsText(typeof(TKey)) ? Comparer<TKey>.Create(Compile()) : Comparer<TKey>.Default;
    }

    private static Comparison<TKey> Compile()
    {
        var x = Expression.Parameter(typeof(TKey), "x");
        var y = Expression.Parameter(typeof(TKey), "y");
        var zero = Expression.Constant(0);

        // Each member in turn, until two differ.
        Expression result = zero;
        foreach (var member in NaturalOrder.MembersOf(typeof(TKey)).Reverse())
        {
            var compare = typeof(NaturalOrder<>).MakeGenericType(member.Type).GetMethod(nameof(Compare))!;
            var compared = Expression.Variable(typeof(int), "compared");
            result = Expression.Block(
                [compared],
                Expression.Assign(compared, Expression.Call(compare, member.Of(x), member.Of(y))),
                result == zero ? compared : Expression.Condition(Expression.NotEqual(compared, zero), compared, result));
        }
        if (!typeof(TKey).IsValueType || Nullable.GetUnderlyingType(typeof(TKey)) is not null)
        {
            var (noX, noY) = (IsNull(x), IsNull(y));
            var nulls = Expression.Condition(noX, Expression.Condition(noY, zero, Expression.Constant(-1)), Expression.Constant(1));
            result = Expression.Condition(Expression.OrElse(noX, noY), nulls, result);
        }
        return Expression.Lambda<Comparison<TKey>>(result, x, y).Compile();
    }

    private static BinaryExpression IsNull(Expression value) => Expression.Equal(value, Expression.Constant(null, typeof(TKey)));
}

/// <summary>Which types have an order, and of what it is made.</summary>
internal static class NaturalOrder
{
    /// <summary>Something that is compared as part of a key.</summary>
    public readonly record struct Member(string Name, Type Type, Func<Expression, Expression> Of);

    /// <summary>Refuses a type that has no order, or whose parts have none.</summary>
    /// <exception cref="NotSupportedException">The message names the part.</exception>
    public static void Require(Type type)
    {
        if (FirstWithout(type, "") is not var (path, part)) return;
        var which = path.Length == 0 ? "" : $": their {path}, of type {TypeNames.Short(part)}, has none";
        throw new NotSupportedException(
            $"Keys of type {TypeNames.Short(type)} have no order{which}. Let that type implement IComparable<{TypeNames.Short(part)}>, sort by a part of it, or pass a comparer.");
    }

    /// <summary>Whether a type's own comparison would compare a text within it by culture, in a place we know of.</summary>
    public static bool HoldsText(Type type) =>
        type == typeof(string) || MembersOf(type).Any(member => HoldsText(member.Type));

    /// <summary>What a tuple compares, in turn; for an optional one its value. Nothing for other types.</summary>
    public static IEnumerable<Member> MembersOf(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } optional)
        {
            if (MembersOf(optional).Any()) yield return new Member("Value", optional, static value => Expression.Property(value, "Value"));
            yield break;
        }
        if (!type.IsGenericType || !type.IsAssignableTo(typeof(ITuple)) || type.Assembly != typeof(object).Assembly) yield break;
        var arguments = type.GetGenericArguments();
        for (var i = 0; i < arguments.Length; i++)
        {
            var name = i < 7 ? $"Item{i + 1}" : "Rest";
            yield return new Member(name, arguments[i], tuple => Expression.PropertyOrField(tuple, name));
        }
    }

    private static (string Path, Type Type)? FirstWithout(Type type, string path)
    {
        var any = false;
        foreach (var member in MembersOf(type))
        {
            any = true;
            if (FirstWithout(member.Type, path.Length == 0 ? member.Name : $"{path}.{member.Name}") is { } found) return found;
        }
        if (any) return null;
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsEnum || typeof(IComparable).IsAssignableFrom(type) || typeof(IComparable<>).MakeGenericType(type).IsAssignableFrom(type)
            ? null
            : (path, type);
    }
}
