using System.Collections;
using System.Collections.Immutable;
using System.Numerics;
using System.Reflection;

namespace Dataflow.Engine.Tests.Serialization;

/// <summary>Random values of any type that codecs can encode: nulls, empty collections, extremes and ordinary ones.</summary>
internal sealed class RandomValues(int seed)
{
    private readonly Random _random = new(seed);

    public T[] Many<T>(int count) => [.. Enumerable.Range(0, count).Select(_ => (T)Make(typeof(T), 0)!)];

    private object? Make(Type type, int depth)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return Chance(3) ? null : Make(inner, depth);
        if (!type.IsValueType && Chance(8))
            return null;
        if (type.IsEnum)
            return Enum.ToObject(type, Make(type.GetEnumUnderlyingType(), depth)!);
        if (Scalar(type) is { } scalar)
            return scalar;
        if (type.IsArray)
            return MakeArray(type, depth);
        if (type.IsGenericType && type.Namespace!.StartsWith("System.Collections", StringComparison.Ordinal) && type.Name != "KeyValuePair`2")
            return MakeCollection(type, depth);
        if (type == typeof(object))
            return Make(Pick(typeof(int), typeof(string), typeof(DateTime), typeof(decimal), typeof(Guid)), depth + 1);
        if (type == typeof(CodecRoundTripTests.IShape))
            return Make(Pick(typeof(CodecRoundTripTests.Circle), typeof(CodecRoundTripTests.Square)), depth + 1);
        if (type == typeof(CodecRoundTripTests.Tree<int>))
            return Make(depth > 6 || Chance(2) ? typeof(CodecRoundTripTests.Leaf<int>) : typeof(CodecRoundTripTests.Node<int>), depth + 1);
        if (type == typeof(CodecRoundTripTests.Animal) && Chance(2))
            return Make(Pick(typeof(CodecRoundTripTests.Dog), typeof(CodecRoundTripTests.Cat)), depth + 1);

        var item = System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(type);
        for (var declaring = type; declaring is not null; declaring = declaring.BaseType)
            foreach (var field in declaring.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                field.SetValue(item, depth > 12 && !field.FieldType.IsValueType ? null : Make(field.FieldType, depth + 1));
        return item;
    }

    private object? Scalar(Type type)
    {
        var bits = Chance(3) ? Pick(0L, -1L, long.MinValue, long.MaxValue, 1L) : _random.NextInt64() >> _random.Next(64);
        return type switch
        {
            _ when type == typeof(string) => Text(),
            _ when type == typeof(bool) => Chance(2),
            _ when type == typeof(byte) => (byte)bits,
            _ when type == typeof(short) => (short)bits,
            _ when type == typeof(int) => (int)bits,
            _ when type == typeof(long) => bits,
            _ when type == typeof(ulong) => (ulong)bits,
            _ when type == typeof(char) => (char)bits,
            _ when type == typeof(float) => BitConverter.Int32BitsToSingle((int)bits),
            _ when type == typeof(double) => BitConverter.Int64BitsToDouble(bits),
            _ when type == typeof(decimal) => new decimal((int)bits, (int)(bits >> 32), (int)(bits >> 16), Chance(2), (byte)_random.Next(29)),
            _ when type == typeof(Int128) => new Int128((ulong)bits, (ulong)~bits),
            _ when type == typeof(Guid) => new Guid((int)bits, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
            _ when type == typeof(DateTime) => new DateTime((bits & long.MaxValue) % DateTime.MaxValue.Ticks, (DateTimeKind)_random.Next(3)),
            _ when type == typeof(DateTimeOffset) => new DateTimeOffset(new DateTime(2000, 1, 1).AddSeconds((int)bits), TimeSpan.FromMinutes(_random.Next(-840, 841))),
            _ when type == typeof(DateOnly) => DateOnly.FromDayNumber(_random.Next(DateOnly.MaxValue.DayNumber + 1)),
            _ when type == typeof(TimeOnly) => new TimeOnly((bits & long.MaxValue) % TimeSpan.TicksPerDay),
            _ when type == typeof(TimeSpan) => new TimeSpan(bits),
            _ when type == typeof(BigInteger) => BigInteger.Pow(bits, _random.Next(6)),
            _ when type == typeof(Uri) => new Uri(Chance(2) ? $"http://h/{bits}" : $"r/{bits}", UriKind.RelativeOrAbsolute),
            _ when type == typeof(System.Net.IPAddress) => new System.Net.IPAddress(_random.NextInt64(uint.MaxValue)),
            _ when type == typeof(Version) => new Version(_random.Next(300), _random.Next(3), _random.Next(70_000)),
            _ => null,
        };
    }

    private string Text()
    {
        var alphabet = Pick("ab", "xyzé", "日本\ud83d\ude42", "\0\ud800\udc00q");
        return new string([.. Enumerable.Range(0, Chance(20) ? _random.Next(400) : _random.Next(12)).Select(_ => alphabet[_random.Next(alphabet.Length)])]);
    }

    private Array MakeArray(Type type, int depth)
    {
        var lengths = Enumerable.Range(0, type.GetArrayRank()).Select(_ => Length(depth)).ToArray();
        var array = Array.CreateInstanceFromArrayType(type, lengths);
        if (type.IsSZArray)
        {
            for (var i = 0; i < array.Length; i++) array.SetValue(Make(type.GetElementType()!, depth + 1), i);
            return array;
        }
        for (var i = 0; i < array.GetLength(0); i++)
            for (var j = 0; j < array.GetLength(1); j++) array.SetValue(Make(type.GetElementType()!, depth + 1), i, j);
        return array;
    }

    private object MakeCollection(Type type, int depth)
    {
        var arguments = type.GetGenericArguments();
        var items = Enumerable.Range(0, Length(depth)).Select(_ => arguments.Select(argument => Make(argument, depth + 1)).ToArray()).ToArray();
        if (arguments.Length == 2)
        {
            var map = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(arguments))!;
            foreach (var pair in items)
                if (pair[0] is { } key) map[key] = pair[1];
            return type.IsInterface || type == map.GetType() ? map
                : type.Name.StartsWith("Immutable", StringComparison.Ordinal) ? Call(typeof(ImmutableDictionary), "ToImmutableDictionary", arguments, map)
                : Activator.CreateInstance(type, map)!;
        }

        var array = Array.CreateInstance(arguments[0], items.Length);
        for (var i = 0; i < items.Length; i++) array.SetValue(items[i][0], i);
        if (type.IsInterface)
            type = new[] { array.GetType(), typeof(List<>).MakeGenericType(arguments), typeof(HashSet<>).MakeGenericType(arguments) }
                .Where(type.IsAssignableFrom).MinBy(_ => _random.Next())!;
        if (type.IsArray)
            return array;
        return type.Name switch
        {
            "ImmutableArray`1" => Call(typeof(ImmutableArray), "ToImmutableArray", arguments, array),
            "ImmutableList`1" => Call(typeof(ImmutableList), "ToImmutableList", arguments, array),
            _ => Activator.CreateInstance(type, array)!,
        };
    }

    private static object Call(Type type, string name, Type[] arguments, object items) => type.GetMethods()
        .Single(method => method.Name == name && method.GetParameters() is [{ ParameterType: { IsGenericType: true } only }]
            && only.GetGenericTypeDefinition() == typeof(IEnumerable<>) && method.GetGenericArguments().Length == arguments.Length)
        .MakeGenericMethod(arguments).Invoke(null, [items])!;

    private int Length(int depth) => Chance(4) ? 0 : _random.Next(depth > 4 ? 2 : 5);

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private T Pick<T>(params T[] from) => from[_random.Next(from.Length)];
}
