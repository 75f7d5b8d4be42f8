using System.Net;
using System.Numerics;
using System.Text;
using Dataflow.Hashing;

namespace Dataflow.Engine.Tests.Hashing;

/// <summary>Over every kind of key: equal values made differently hash equal, unequal ones almost always differ, with and without compiled code.</summary>
public sealed class StableHashTests
{
    private const int Seed = 20_250_701;

    [Fact]
    public void Numbers()
    {
        Check<bool>(random => random.Next(2) == 0);
        Check<byte>(random => (byte)random.Next());
        Check<sbyte>(random => (sbyte)random.Next());
        Check<short>(random => (short)random.Next());
        Check<ushort>(random => (ushort)random.Next());
        Check<char>(random => (char)random.Next());
        Check<int>(random => random.Next(-50, 50));
        Check<uint>(random => (uint)random.Next(50));
        Check<long>(random => random.NextInt64(-50, 50) << random.Next(40));
        Check<ulong>(random => (ulong)random.Next(50) << random.Next(50));
        Check<nint>(random => random.Next(-50, 50));
        Check<nuint>(random => (nuint)random.Next(50));
        Check<Int128>(random => (Int128)random.Next(-50, 50) << random.Next(90));
        Check<UInt128>(random => (UInt128)(uint)random.Next(50) << random.Next(90));
        Check<BigInteger>(random => (BigInteger)random.Next(-50, 50) << random.Next(200), value => value + BigInteger.Pow(7, 300) - BigInteger.Pow(7, 300));
        Check<BigInteger>(random => BigInteger.Pow(random.Next(2, 9), 900));
    }

    [Fact]
    public void Floating_point_numbers_have_one_zero_and_one_NaN()
    {
        Check<double>(Double, value => value == 0 ? -value : double.IsNaN(value) ? BitConverter.Int64BitsToDouble(-1) : value);
        Check<float>(random => (float)Double(random), value => value == 0 ? -value : float.IsNaN(value) ? BitConverter.Int32BitsToSingle(-1) : value);
        Check<Half>(random => (Half)Double(random), value => value == Half.Zero ? -value : Half.IsNaN(value) ? BitConverter.Int16BitsToHalf(-1) : value);
        Check<Complex>(random => new Complex(Double(random), Double(random)));
        Check<(double, float)>(random => (Double(random), (float)Double(random)), pair => (pair.Item1 == 0 ? -pair.Item1 : pair.Item1, pair.Item2));
        Assert.Equal(StableHash<double>.Of(double.NaN), StableHash<double>.Of(-double.NaN));
        Assert.NotEqual(StableHash<double>.Of(0.0), StableHash<double>.Of(double.Epsilon));
    }

    [Fact]
    public void Decimals_are_equal_whatever_their_scale()
    {
        Check<decimal>(
            random => new decimal(random.Next(100), random.Next(2), random.Next(2), random.Next(2) == 0, (byte)random.Next(9)),
            value => value * 1.000000000m);
        Check<decimal>(random => random.Next(-30, 30), value => value + 0.0000000000000000000m);
        Check<decimal>(random => decimal.MaxValue - random.Next(5));
        Assert.Equal(StableHash<decimal>.Of(1.0m), StableHash<decimal>.Of(1.00m));
        Assert.Equal(StableHash<decimal>.Of(0m), StableHash<decimal>.Of(-0.000m));
        Assert.NotEqual(StableHash<decimal>.Of(1m), StableHash<decimal>.Of(10m));
        Assert.NotEqual(StableHash<decimal>.Of(1m), StableHash<decimal>.Of(-1m));
    }

    [Fact]
    public void Times_are_equal_as_their_Equals_says()
    {
        Check<DateTime>(random => new DateTime(random.NextInt64(1000), DateTimeKind.Utc), value => DateTime.SpecifyKind(value, DateTimeKind.Local));
        Check<DateTimeOffset>(
            random => new DateTimeOffset(2020, 1, 1, 0, 0, 0, default).AddMinutes(random.Next(100)), value => value.ToOffset(TimeSpan.FromHours(5)));
        Check<TimeSpan>(random => TimeSpan.FromTicks(random.NextInt64(100)));
        Check<DateOnly>(random => DateOnly.FromDayNumber(random.Next(100)));
        Check<TimeOnly>(random => new TimeOnly(random.NextInt64(100)));
    }

    [Fact]
    public void Texts_are_compared_unit_by_unit()
    {
        Check<string>(Text, text => new string(text.AsSpan()));
        Check<string>(random => new string((char)random.Next(60, 62), random.Next(90)), text => new string(text.AsSpan()));

        // Composed and decomposed, and the two cases, are different keys.
        Assert.NotEqual(StableHash<string>.Of("\u00e9"), StableHash<string>.Of("e\u0301"));
        Assert.NotEqual(StableHash<string>.Of("a"), StableHash<string>.Of("A"));
        Assert.NotEqual(StableHash<string>.Of(""), StableHash<string>.Of(null));
        Assert.NotEqual(StableHash<string>.Of(""), StableHash<string>.Of("\0"));
        Assert.Equal(0u, StableHash<string>.Of(null));
    }

    [Fact]
    public void Every_unit_of_a_text_counts_at_every_length()
    {
        for (var length = 1; length < 130; length++)
        {
            var units = Enumerable.Range(0, length).Select(i => (char)('a' + i % 7)).ToArray();
            var hashes = new HashSet<uint> { StableHash<string>.Of(new string(units)) };
            for (var i = 0; i < length; i++)
            {
                units[i] ^= (char)0x8000;
                Assert.True(hashes.Add(StableHash<string>.Of(new string(units))), $"unit {i} of {length}");
                units[i] ^= (char)0x8000;
            }
        }
    }

    [Fact]
    public void Other_types_of_dotnet()
    {
        Check<Guid>(random => new Guid(random.Next(20), 1, 2, 3, 4, 5, 6, 7, 8, 9, (byte)random.Next(20)));
        Check<Version>(random => new Version(random.Next(5), random.Next(5), random.Next(5)), value => Version.Parse(value.ToString()));
        Check<Uri>(
            random => new Uri($"http://Example.org:80/Path/{random.Next(9)}?q={random.Next(9)}"),
            value => new Uri("HTTP://user@EXAMPLE.org/Path/" + value.PathAndQuery["/Path/".Length..] + "#part"),
            twinsMayDiffer: true);
        Check<Uri>(random => new Uri("a/b/" + random.Next(20), UriKind.Relative), value => new Uri(value.OriginalString, UriKind.Relative));
        Check<Uri>(random => new Uri("/a/b/" + random.Next(20), UriKind.Absolute), value => new Uri("file://" + value.OriginalString));
        Check<IPAddress>(random => IPAddress.Parse($"10.0.0.{random.Next(30)}"), value => IPAddress.Parse(value.ToString()));
        Check<IPAddress>(random => IPAddress.Parse($"fe80::{random.Next(30)}%{random.Next(3)}"));
        Check<Rune>(random => new Rune(random.Next(100)));
        Check<Index>(random => new Index(random.Next(20), random.Next(2) == 0));
        Check<Range>(random => new Range(random.Next(9), ^random.Next(9)));
        Check<ValueTuple>(_ => default);
    }

    [Fact]
    public void Enums_and_optional_values()
    {
        Check<Colour>(random => (Colour)random.Next(5));
        Check<Tiny>(random => (Tiny)random.Next(-128, 128));
        Check<Vast>(random => (Vast)(ulong)random.NextInt64());
        Check<DayOfWeek?>(random => random.Next(5) == 0 ? null : (DayOfWeek)random.Next(7));
        Check<int?>(random => random.Next(5) == 0 ? null : random.Next(50));
        Check<Guid?>(random => random.Next(5) == 0 ? null : new Guid(random.Next(20), 0, 0, new byte[8]));
        Check<(int?, string?)>(random => (random.Next(5) == 0 ? null : random.Next(2), random.Next(5) == 0 ? null : ""));
        Assert.Equal(0u, StableHash<int?>.Of(null));
        Assert.NotEqual(StableHash<(int?, int)>.Of((null, 1)), StableHash<(int?, int)>.Of((0, 1)));
        Assert.NotEqual(StableHash<(string?, string?)>.Of((null, "")), StableHash<(string?, string?)>.Of(("", null)));
    }

    [Fact]
    public void Tuples_of_any_length()
    {
        Check<(int, int)>(random => (random.Next(20), random.Next(20)));
        Check<(string, int)>(random => (Text(random), random.Next(3)), pair => (new string(pair.Item1.AsSpan()), pair.Item2));
        Check<(int, long, string)>(random => (random.Next(9), random.Next(9), Text(random)));
        Check<(int, int, int, int)>(random => (random.Next(4), random.Next(4), random.Next(4), random.Next(4)));
        Check<(byte, byte, byte, byte, byte, byte, byte, decimal, string)>(
            random => ((byte)random.Next(2), 0, 0, 0, 0, 0, (byte)random.Next(2), random.Next(3), random.Next(3).ToString()),
            key => (key.Item1, 0, 0, 0, 0, 0, key.Item7, key.Item8 * 1.0m, new string(key.Item9.AsSpan())));
        Check<(int, (int, (string, double)))>(random => (random.Next(3), (random.Next(3), (random.Next(3).ToString(), Double(random)))));
        Check<ValueTuple<string>>(random => new ValueTuple<string>(random.Next(50).ToString()));
        Check<Tuple<int, string>>(random => Tuple.Create(random.Next(9), random.Next(9).ToString()), value => Tuple.Create(value.Item1, value.Item2));
        Check<Tuple<int, int, int, int, int, int, int, Tuple<decimal>>>(
            random => Tuple.Create(random.Next(3), 0, 0, 0, 0, 0, random.Next(3), (decimal)random.Next(9)),
            value => Tuple.Create(value.Item1, 0, 0, 0, 0, 0, value.Item7, value.Rest.Item1 * 1.00m));
        Check<KeyValuePair<string, int>>(
            random => new(random.Next(9).ToString(), random.Next(9)), pair => new(new string(pair.Key.AsSpan()), pair.Value));
        Check<(int, (int, int))>(random => (random.Next(9), (random.Next(9), random.Next(9))));
        Assert.NotEqual(StableHash<(int, int)>.Of((1, 2)), StableHash<(int, int)>.Of((2, 1)));
    }

    [Fact]
    public void Anonymous_types()
    {
        CheckLike(new { Id = 0, Name = "" }, random => new { Id = random.Next(9), Name = random.Next(9).ToString() });
        CheckLike(new { At = default(DateTime), Amount = 0m }, random => new { At = new DateTime(random.Next(9)), Amount = random.Next(9) * 1.000m });
        CheckLike(new { }, _ => new { });

        static void CheckLike<T>(T example, Func<Random, T> make)
        {
            Assert.NotNull(example);
            Check(make);
        }
    }

    [Fact]
    public void Records_by_all_their_fields_and_their_type()
    {
        Check<Visit>(random => new Visit(random.Next(3), random.Next(3).ToString(), new DateTime(random.Next(3))), value => value with { });
        Check<Visit>(random => new Visit(random.Next(3), random.Next(2) == 0 ? null : "", default));
        Check<Place>(random => new Place(Double(random), Double(random), random.Next(2).ToString()), value => value with { Name = new string(value.Name.AsSpan()) });
        Check<Nothing>(_ => default);
        Check<Hidden>(random => new Hidden(random.Next(9)).With(random.Next(9)), value => value with { });
        Check<Generic<(string, decimal)>>(random => new((Text(random), random.Next(3)), random.Next(3)), value => new((value.Value.Item1, value.Value.Item2 * 1.0m), value.Count));
        Check<Chain>(random => new Chain(random.Next(3), new Chain(random.Next(3), random.Next(2) == 0 ? null : new Chain(0, null))));
        Check<Shape>(
            random => random.Next(3) switch
            {
                0 => new Shape(random.Next(3).ToString()),
                1 => new Circle(random.Next(3).ToString(), random.Next(2)),
                _ => new Disc(random.Next(3).ToString(), random.Next(2)),
            },
            value => value with { });
        Check<(Circle, int)>(random => (random.Next(2) == 0 ? new Circle("a", random.Next(9)) : new Disc("a", random.Next(9)), 1));
        Assert.NotEqual(StableHash<Shape>.Of(new Circle("a", 0)), StableHash<Shape>.Of(new Disc("a", 0)));
        Assert.NotEqual(StableHash<Chain>.Of(new Chain(1, new Chain(2, null))), StableHash<Chain>.Of(new Chain(2, new Chain(1, null))));
    }

    [Fact]
    public void Plain_structs_by_their_fields()
    {
        Check<Plain>(
            random => new Plain(random.Next(3), random.Next(3).ToString(), Double(random)),
            value => new Plain(value.Number, new string(value.Text.AsSpan()), value.Weight == 0 ? -value.Weight : value.Weight));
        Check<Outer>(random => new Outer(new Plain(random.Next(3), null, random.Next(3)), (byte)random.Next(3)));
        Check<(Plain, int)>(random => (new Plain(random.Next(3), "x", random.Next(3)), random.Next(3)));
        Check<Plain?>(random => random.Next(3) == 0 ? null : new Plain(random.Next(3), "x", random.Next(3)));
    }

    [Fact]
    public void Registered_types_by_their_hash()
    {
        Check<Money>(random => new Money(random.Next(30), "eur"), value => new Money(value.Cents, "EUR"));
        Check<(Money, int)>(random => (new Money(random.Next(30), "eur"), random.Next(3)), value => (new Money(value.Item1.Cents, "EUR"), value.Item2));
    }

    [Fact]
    public void A_chunk_hashes_as_its_keys_do()
    {
        int[] numbers = [3, -1, 0];
        string?[] texts = ["a", null, ""];
        (int, string)[] pairs = [(1, "x"), (2, "y")];
        Assert.Equal(numbers.Select(StableHash<int>.Of), Many<int>(numbers));
        Assert.Equal(texts.Select(StableHash<string>.Of), Many<string>(texts!));
        Assert.Equal(pairs.Select(StableHash<(int, string)>.Of), Many<(int, string)>(pairs));
        Assert.Empty(Many<Guid>([]));
        Assert.Throws<ArgumentException>(() => StableHash<int>.OfMany([1, 2], new uint[1]));

        static uint[] Many<T>(ReadOnlySpan<T> keys)
        {
            var hashes = new uint[keys.Length];
            StableHash<T>.OfMany(keys, hashes);
            return hashes;
        }
    }

    /// <summary>Compares every pair of a sample, each value with its twin, and compiled with reflected hashes.</summary>
    private static void Check<T>(Func<Random, T> make, Func<T, T>? twin = null, bool twinsMayDiffer = false)
    {
        var name = $"{typeof(T)} (seed {Seed})";
        Assert.True(StableHash.CanHash(typeof(T), out var why), why);
        var reflected = KeyHashers.Create<T>(compiles: false);
        var random = new Random(Seed);
        var keys = Enumerable.Range(0, 150).Select(_ => make(random)).ToArray();
        if (twin is not null) keys = [.. keys, .. keys.Select(key => key is null ? key : twin(key))];

        var comparer = EqualityComparer<T>.Default;
        var hashes = Array.ConvertAll(keys, StableHash<T>.Of64);
        var collisions = 0;
        for (var i = 0; i < keys.Length; i++)
        {
            var slow = keys[i] is null ? 0 : Mixing.Finish(reflected.Add(Mixing.Seed, keys[i]));
            Assert.True(hashes[i] == slow, $"{name}: compiled {hashes[i]:x16}, reflected {slow:x16} of {keys[i]}");
            Assert.Equal((uint)hashes[i], StableHash<T>.Of(keys[i]));
            if (twin is not null && i >= keys.Length / 2 && !twinsMayDiffer)
                Assert.True(comparer.Equals(keys[i], keys[i - keys.Length / 2]), $"{name}: {keys[i]} is no twin of {keys[i - keys.Length / 2]}");

            for (var j = 0; j < i; j++)
            {
                var equal = comparer.Equals(keys[i], keys[j]);
                Assert.True(equal == KeyEquality<T>.AreEqual(keys[i], keys[j]), $"{name}: equality of {keys[i]} and {keys[j]}");
                if (equal)
                    Assert.True(hashes[i] == hashes[j], $"{name}: {keys[i]} and {keys[j]} are equal, their hashes {hashes[i]:x16} and {hashes[j]:x16}");
                else if ((uint)hashes[i] == (uint)hashes[j])
                    collisions++;
            }
        }
        if (typeof(T) != typeof(Uri))
            Assert.True(collisions == 0, $"{name}: {collisions} pairs of unequal keys share a hash");
    }

    private static double Double(Random random) => random.Next(7) switch
    {
        0 => 0,
        1 => double.NaN,
        2 => double.NegativeInfinity,
        3 => -0.0,
        var n => n * 0.5,
    };

    private static string Text(Random random) => new([.. Enumerable.Range(0, random.Next(60)).Select(_ => (char)random.Next('a', 'e'))]);
}
