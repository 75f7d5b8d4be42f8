using System.Collections.Immutable;
using System.Drawing;
using System.Net;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Codecs;
using Dataflow.Serialization;
using Dataflow.Tracking;

namespace Dataflow.Engine.Tests.Serialization;

public class CodecRoundTripTests
{
    [Fact]
    public void Numbers_come_back_with_their_extremes()
    {
        RoundTrip.Of<byte>(0, 255);
        RoundTrip.Of<sbyte>(-128, 127);
        RoundTrip.Of<short>(short.MinValue, short.MaxValue);
        RoundTrip.Of<ushort>(0, ushort.MaxValue);
        RoundTrip.Of(int.MinValue, 0, int.MaxValue);
        RoundTrip.Of<uint>(0, uint.MaxValue);
        RoundTrip.Of(long.MinValue, long.MaxValue);
        RoundTrip.Of<ulong>(0, ulong.MaxValue);
        RoundTrip.Of(Int128.MinValue, Int128.MaxValue);
        RoundTrip.Of(UInt128.MinValue, UInt128.MaxValue);
        RoundTrip.Of(Half.NaN, Half.NegativeZero, Half.Epsilon);
        RoundTrip.Of(float.NaN, -0f, float.NegativeInfinity, BitConverter.Int32BitsToSingle(unchecked((int)0xFFC12345)));
        RoundTrip.Of(double.NaN, -0.0, double.Epsilon, double.MaxValue, BitConverter.Int64BitsToDouble(unchecked((long)0xFFF8_0000_1234_5678)));
        RoundTrip.Of(decimal.MinValue, decimal.MaxValue, 0m, 1.0m, 1.00m, -0.0m, 0.0000000000000000000000000001m);
        RoundTrip.Of(true, false);
        RoundTrip.Of('\0', 'x', '\ud800', char.MaxValue);
        RoundTrip.Of(BigInteger.Zero, BigInteger.MinusOne, BigInteger.Pow(7, 500), -BigInteger.Pow(2, 128));
        RoundTrip.Of(new Complex(1, -2), Complex.ImaginaryOne);
        RoundTrip.Of(Guid.Empty, new Guid("01234567-89ab-cdef-0123-456789abcdef"));
    }

    [Fact]
    public void Times_come_back_exactly_with_their_kind_and_offset()
    {
        var ambiguous = DateTime.FromBinary(unchecked((long)0xC8D5_5555_5555_5555));
        RoundTrip.Of(DateTime.MinValue, DateTime.MaxValue, new DateTime(1998, 1, 2, 3, 4, 5, DateTimeKind.Utc),
            new DateTime(1998, 1, 2, 3, 4, 5, DateTimeKind.Local), new DateTime(1998, 1, 2, 3, 4, 5, DateTimeKind.Unspecified), ambiguous);
        RoundTrip.Of(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, new DateTimeOffset(2024, 2, 29, 12, 0, 0, TimeSpan.FromMinutes(-345)),
            new DateTimeOffset(2024, 2, 29, 12, 0, 0, TimeSpan.FromHours(14)));
        RoundTrip.Of(DateOnly.MinValue, DateOnly.MaxValue, new DateOnly(1998, 1, 1));
        RoundTrip.Of(TimeOnly.MinValue, TimeOnly.MaxValue);
        RoundTrip.Of(TimeSpan.MinValue, TimeSpan.MaxValue, TimeSpan.Zero);
    }

    [Fact]
    public void Texts_come_back_null_empty_and_broken_ones_too()
    {
        RoundTrip.Of<string?>(null, "", "a", "naïve", "日本", "🙂", "\ud800", "a\udc00", new string('x', 126), new string('x', 127), new string('é', 70_000));
        RoundTrip.Of<Uri?>(null, new Uri("https://example.org/a b?c=%20#d"), new Uri("../up", UriKind.Relative), new Uri("file:///tmp/x"), new Uri("", UriKind.Relative));
        RoundTrip.Of<IPAddress?>(null, IPAddress.Parse("0.0.0.0"), IPAddress.Parse("10.1.2.3"), IPAddress.Parse("::1"), new IPAddress(new byte[16], uint.MaxValue));
        RoundTrip.Of<Version?>(null, new Version(1, 2), new Version(1, 2, 0), new Version(int.MaxValue, 0, 3, 4));
    }

    [Fact]
    public void Enums_and_optional_values_come_back()
    {
        RoundTrip.Of(Small.One, (Small)200);
        RoundTrip.Of(Large.Most, (Large)0);
        RoundTrip.Of<int?>(null, 0, int.MinValue);
        RoundTrip.Of<decimal?>(null, 1.10m);
        RoundTrip.Of<Small?>(null, Small.One);
        RoundTrip.Of<(int, string?)?>(null, (1, null), (2, "x"));
        RoundTrip.Of<(int?, bool?)>((null, null), (1, true), (null, false));
    }

    [Fact]
    public void Arrays_of_every_shape_come_back()
    {
        RoundTrip.Of<int[]?>(null, [], [1, 2, 3]);
        RoundTrip.Of<byte[]?>(null, [], [1, 255], new byte[100_000]);
        RoundTrip.Of<bool[]?>(null, [], [true, false]);
        RoundTrip.Of<string?[]?>(null, [], ["a", null, ""]);
        RoundTrip.Of<double[][]?>(null, [], [[1], [], null!]);
        RoundTrip.Of<int[,]?>(null, new int[0, 0], new int[0, 5], new int[3, 0], new[,] { { 1, 2, 3 }, { 4, 5, 6 } });
        RoundTrip.Of<string?[,,]?>(null, new string?[2, 1, 2], new string?[,,] { { { "a", null } } });
        RoundTrip.Of<int[][,]?>(null, [new[,] { { 1 } }, null!]);
        RoundTrip.Of<DateTime[]>([DateTime.MaxValue], []);
        RoundTrip.Of<(int, string)[]>([(1, "a"), (2, "b")], []);
        RoundTrip.Of<int?[]>([1, null]);
    }

    [Fact]
    public void Collections_come_back_in_their_order()
    {
        RoundTrip.Of<List<int>?>(null, [], [1, 2]);
        RoundTrip.Of<List<string?>?>(null, [], ["a", null]);
        RoundTrip.Of<Queue<int>?>(null, new([]), new([3, 1, 2]));
        RoundTrip.Of<Stack<string>?>(null, new([]), new(["bottom", "top"]));
        RoundTrip.Of<HashSet<string?>?>(null, [], ["a", null, "b"]);
        RoundTrip.Of<SortedSet<int>?>(null, [], [3, 1, 2]);
        RoundTrip.Of<Dictionary<string, int>?>(null, [], new() { ["b"] = 1, ["a"] = 2 });
        RoundTrip.Of<SortedDictionary<DateTime, string?>?>(null, [], new() { [DateTime.MaxValue] = null, [DateTime.MinValue] = "x" });
        RoundTrip.Of<ImmutableArray<int>>(default, [], [1, 2]);
        RoundTrip.Of<ImmutableArray<string?>>(default, [], ["x", null]);
        RoundTrip.Of<ImmutableList<int>?>(null, [], [1, 2]);
        RoundTrip.Of<ImmutableHashSet<int>?>(null, [], [1, 2]);
        RoundTrip.Of<ImmutableDictionary<string, int>?>(null, ImmutableDictionary<string, int>.Empty.Add("a", 1));
        RoundTrip.Of<Memory<int>>(default, new[] { 1, 2 });
        RoundTrip.Of<ReadOnlyMemory<char>>(default, "text".AsMemory(1, 2));
        RoundTrip.Of<Dictionary<int, List<(string, double[])>>>(new Dictionary<int, List<(string, double[])>> { [1] = [("a", [1, 2])], [2] = [] });
    }

    [Fact]
    public void Sets_and_dictionaries_keep_the_comparers_of_dotnet()
    {
        foreach (var comparer in new[] { StringComparer.Ordinal, StringComparer.OrdinalIgnoreCase, StringComparer.InvariantCulture, StringComparer.InvariantCultureIgnoreCase })
            foreach (var codecs in new[] { RoundTrip.Compiled, RoundTrip.Reflected })
            {
                Assert.Equal(comparer, Again(codecs, new Dictionary<string, int>(comparer) { ["Key"] = 1 }).Comparer);
                Assert.Equal(comparer, Again(codecs, new HashSet<string>(comparer) { "Key" }).Comparer);
                Assert.Equal(comparer, Again(codecs, new SortedSet<string>(comparer) { "b", "A", "a", "C" }).Comparer);
                Assert.Equal(comparer, Again(codecs, new SortedDictionary<string, int>(comparer) { ["Key"] = 1 }).Comparer);
                Assert.Equal(comparer, Again(codecs, ImmutableHashSet.Create<string>(comparer, "Key")).KeyComparer);
                Assert.Equal(comparer, Again(codecs, ImmutableDictionary.Create<string, int>(comparer).Add("Key", 1)).KeyComparer);
            }

        var found = Again(RoundTrip.Compiled, new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase) { ["Key"] = 1 });
        Assert.Equal(1, found["KEY"]);
        Assert.Same(EqualityComparer<string>.Default, Again(RoundTrip.Compiled, new Dictionary<string, int> { ["Key"] = 1 }).Comparer);

        static T Again<T>(CodecSet codecs, T value) => RoundTrip.Read(codecs.For<T>(), RoundTrip.Write(codecs.For<T>(), [value]), 1)[0];
    }

    [Fact]
    public void Tuples_and_pairs_of_any_arity_come_back()
    {
        RoundTrip.Of(("a", 1), (null!, -1));
        RoundTrip.Of((1L, 2.0), (long.MinValue, double.NaN));
        RoundTrip.Of(default(ValueTuple));
        RoundTrip.Of(new ValueTuple<string>("one"));
        RoundTrip.Of((1, "2", 3.0, '4', 5m, (byte)6, true, 8L, "nine", (10, "ten"), 11, 12, 13, 14, 15, "sixteen"));
        RoundTrip.Of(Tuple.Create(1), null!);
        RoundTrip.Of(Tuple.Create("a", 1, 2.0, (string?)null));
        RoundTrip.Of(Tuple.Create(1, 2, 3, 4, 5, 6, 7, "eight"));
        RoundTrip.Of(KeyValuePair.Create("k", (1, 2.5)));
        RoundTrip.Of(KeyValuePair.Create(1, 2));
    }

    [Fact]
    public void Records_classes_and_structs_come_back()
    {
        RoundTrip.Of(new Visit(1, "/a", new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc), 0.5, Small.One), new Visit(2, null!, default, null, default), null!);
        RoundTrip.Of(new Point3(1, 2, 3));
        RoundTrip.Of(new Named("n") { Note = "x", Count = 3 }, null!);
        RoundTrip.Of(new Dog("Rex", 3, ["ball"]), null!);
        RoundTrip.Of(new Plain { Id = 1, Name = "n", Tags = ["a", null!] });
        RoundTrip.Of(new Mixed { A = 1, B = "b", C = (1, 'c'), D = [1, 2] });
        RoundTrip.Of(new Primary(3, "x"), new Primary(0, null!));
        RoundTrip.Of(new { A = 1, B = "x", C = new { D = new[] { 1, 2 } } }, null!);
        RoundTrip.Of(new Generic<string, Generic<int, bool>>("k", new Generic<int, bool>(1, true)));
        RoundTrip.Of(new Empty(), null!);
        RoundTrip.Of(new EmptyStruct());
        RoundTrip.Of(new HoldsEmpty(new EmptyStruct(), 5));
        RoundTrip.Of(new Point(1, -2), new Point());
        RoundTrip.Of(new Range(1, ^2));
    }

    [Fact]
    public void Unusual_layouts_come_back()
    {
        var union = new Union { Whole = 0x0102030405060708 };
        RoundTrip.Of(union, default);
        RoundTrip.Of(new Gaps { First = 1, Last = 2 });

        var fixedBuffer = new FixedBuffer { Tail = 7 };
        unsafe
        {
            for (var i = 0; i < 5; i++) fixedBuffer.Data[i] = (short)(i + 1);
        }
        var again = RoundTrip.Read(RoundTrip.Compiled.For<FixedBuffer>(), RoundTrip.Of(fixedBuffer), 1)[0];
        unsafe
        {
            Assert.Equal(5, again.Data[4]);
        }

        var numbers = new FourInts();
        var texts = new ThreeStrings();
        for (var i = 0; i < 3; i++)
        {
            numbers[i + 1] = i;
            texts[i] = $"text {i}";
        }
        var readNumbers = RoundTrip.Read(RoundTrip.Compiled.For<FourInts>(), RoundTrip.Of(numbers), 1)[0];
        var readTexts = RoundTrip.Read(RoundTrip.Compiled.For<ThreeStrings>(), RoundTrip.Of(texts), 1)[0];
        Assert.Equal([0, 0, 1, 2], ((ReadOnlySpan<int>)readNumbers).ToArray());
        Assert.Equal(["text 0", "text 1", "text 2"], ((ReadOnlySpan<string>)readTexts).ToArray());
        Assert.True(RoundTrip.Compiled.For<FourInts>().IsBlittable);
        Assert.Equal("text 2", RoundTrip.Read(RoundTrip.Reflected.For<(int, ThreeStrings)>(), RoundTrip.Of((1, texts)), 1)[0].Item2[2]);
    }

    [Fact]
    public void Collection_interfaces_come_back_as_what_they_held()
    {
        RoundTrip.Of(new Interfaces(new[] { 1, 2 }, new[] { "a" }, new HashSet<int> { 1 }, new Dictionary<string, int> { ["a"] = 1 }, ImmutableArray.Create(1.5)), new Interfaces(null!, null!, null!, null!, null!));
        RoundTrip.Of(new Interfaces(new List<int> { 1, 2 }, new Queue<string>(["a"]), new SortedSet<int> { 1 }, new SortedDictionary<string, int> { ["a"] = 1 }, new[] { 1.5 }));
        RoundTrip.Of<IEnumerable<int>>(new[] { 1 }, new List<int> { 2 }, new[] { 3 }, null!);
        RoundTrip.Of<IEnumerable<KeyValuePair<string, int>>>(new Dictionary<string, int> { ["a"] = 1 });
    }

    [Fact]
    public void A_read_only_view_comes_back_as_an_array()
    {
        IReadOnlyList<string> expression = ["a", "b"];
        Assert.IsNotType<string[]>(expression);
        foreach (var value in new[] { expression, new List<string> { "a", "b" }.AsReadOnly() })
            foreach (var codecs in new[] { RoundTrip.Compiled, RoundTrip.Reflected })
            {
                var read = RoundTrip.Read(codecs.For<IReadOnlyList<string>>(), RoundTrip.Write(codecs.For<IReadOnlyList<string>>(), [value, value, new[] { "a", "b" }]), 3);
                Assert.All(read, list => Assert.Equal(["a", "b"], Assert.IsType<string[]>(list)));
            }
    }

    [Fact]
    public void Values_behind_open_members_keep_their_own_type()
    {
        var dog = new Dog("Rex", 3, []);
        RoundTrip.Of<Animal>(dog, new Animal("plain"), new Cat("Tom"), null!, dog);
        RoundTrip.Of<IShape>(new Circle(1.5), new Square { Side = 2 }, null!, new Circle(2));
        RoundTrip.Of(new Holder(1, "x", [1, "y", 2.5m, null, new object(), DateTime.MaxValue, Small.One], dog, Small.One));
        RoundTrip.Of<object>(1, "two", 3.0, '4', Guid.Empty, null!);
        RoundTrip.Of<IComparable>(1, "two");
        RoundTrip.Of<Tree<int>>(new Node<int>(new Leaf<int>(1), new Leaf<int>(2)), null!);
        RoundTrip.Of<(Animal, IShape)[]>([(dog, new Circle(1)), (new Cat("a"), null!)]);
    }

    [Fact]
    public void Types_that_refer_to_themselves_come_back()
    {
        Chain? chain = null;
        for (var i = 0; i < 255; i++) chain = new Chain(i, chain);
        RoundTrip.Of(chain);
        RoundTrip.Of(new Folder("root", [new Folder("a", []), new Folder("b", [new Folder("c", [])])]));
        RoundTrip.Of(new Json(new Dictionary<string, Json> { ["a"] = new Json(null, 1) }, 2));
    }

    [Fact]
    public void Constructors_that_do_more_than_store_do_not_run()
    {
        var before = Counted.Made;
        var value = new Counted("x");
        RoundTrip.Of(value);
        Assert.Equal(before + 1, Counted.Made);
        RoundTrip.Of(new Swapped("first", "second"));
    }

    [Fact]
    public void Fields_marked_as_not_serialised_are_left_out()
    {
        var value = new Partly { Kept = 1, Left = 2, Handler = () => { } };
        var bytes = RoundTrip.Write(RoundTrip.Compiled.For<Partly>(), [value]);
        Assert.Equal(bytes, RoundTrip.Write(RoundTrip.Reflected.For<Partly>(), [value]));
        foreach (var codecs in new[] { RoundTrip.Compiled, RoundTrip.Reflected })
        {
            var read = new[] { new Partly { Kept = 9, Left = 9 } };
            var reader = new BlockReader(bytes);
            codecs.For<Partly>().Read(ref reader, read);
            Assert.Equal((1, 0), (read[0].Kept, read[0].Left));
            Assert.Null(read[0].Handler);
        }
    }

    [Fact]
    public void A_registered_codec_is_used_for_elements_and_for_members()
    {
        foreach (var compiles in new[] { true, false })
        {
            var codecs = new CodecSet(compiles);
            codecs.Register(new CelsiusCodec());
            var bytes = RoundTrip.Write(codecs.For<(string, Celsius, List<Celsius>)>(), [("a", new Celsius(20), [new Celsius(21)])]);
            Assert.Equal([2, (byte)'a', 20, 2, 21], bytes);
            var read = RoundTrip.Read(codecs.For<(string, Celsius, List<Celsius>)>(), bytes, 1)[0];
            Assert.Equal((20, 21), (read.Item2.Degrees, read.Item3[0].Degrees));
            Assert.Contains("custom 00000000000000ce", codecs.For<List<Celsius>>().Schema);
        }
    }

    [Fact]
    public void Registering_after_first_use_is_refused()
    {
        var codecs = new CodecSet(compiles: true);
        codecs.For<(int, Celsius)>();
        var error = Assert.Throws<InvalidOperationException>(() => codecs.Register(new CelsiusCodec()));
        Assert.Contains("already has a codec in use", error.Message);
    }

    public enum Small : byte { One = 1 }

    public enum Large : ulong { Most = ulong.MaxValue }

    public record Visit(int Id, string Url, DateTime At, double? Score, Small Kind);

    public readonly record struct Point3(double X, double Y, double Z);

    public record Named(string Name)
    {
        public string? Note { get; init; }

        public int Count;
    }

    public record Animal(string Name);

    public sealed record Dog(string Name, int Age, string[] Toys) : Animal(Name);

    public sealed record Cat(string Name) : Animal(Name);

    public sealed class Plain
    {
        public int Id { get; set; }

        public string? Name { get; set; }

        public List<string>? Tags { get; set; }
    }

    public struct Mixed
    {
        public byte A;
        public string B;
        public (int, char) C;
        public List<int> D;
    }

    public class Primary(int number, string text)
    {
        public override string ToString() => text + number;
    }

    public record Generic<TKey, TValue>(TKey Key, TValue Value);

    public sealed class Empty;

    public struct EmptyStruct;

    public record struct HoldsEmpty(EmptyStruct Nothing, int Something);

    [StructLayout(LayoutKind.Explicit)]
    public struct Union
    {
        [FieldOffset(0)] public long Whole;
        [FieldOffset(0)] public DateTime Time;
        [FieldOffset(0)] public byte Low;
    }

    [StructLayout(LayoutKind.Explicit, Size = 16)]
    public struct Gaps
    {
        [FieldOffset(1)] public byte First;
        [FieldOffset(8)] public int Last;
    }

    public unsafe struct FixedBuffer
    {
        public fixed short Data[5];
        public int Tail;
    }

    [InlineArray(4)]
    public struct FourInts
    {
        private int _first;
    }

    [InlineArray(3)]
    public struct ThreeStrings
    {
        private string _first;
    }

    public record Interfaces(IReadOnlyList<int> List, IEnumerable<string> Sequence, ISet<int> Set, IReadOnlyDictionary<string, int> Map, IReadOnlyCollection<double> Immutable);

    public interface IShape;

    public sealed record Circle(double Radius) : IShape;

    public struct Square : IShape
    {
        public int Side { get; set; }
    }

    public record Holder(object First, object Second, object?[] Many, Animal Animal, Small Known);

    public abstract record Tree<T>;

    public sealed record Node<T>(Tree<T> Left, Tree<T> Right) : Tree<T>;

    public sealed record Leaf<T>(T Value) : Tree<T>;

    public sealed record Chain(int Value, Chain? Next);

    public record Folder(string Name, List<Folder> Folders);

    public sealed record Json(Dictionary<string, Json>? Members, int Value);

    public sealed class Counted
    {
        public static int Made;
        private readonly string _text;

        public Counted(string text)
        {
            Made++;
            _text = text;
        }

        public override string ToString() => _text;
    }

    public sealed class Swapped(string second, string first)
    {
        public readonly string First = second;
        public readonly string Second = first;
    }

    public struct Partly
    {
        public int Kept;
        [NonSerialized] public int Left;

        [field: NonSerialized] public Action? Handler { get; set; }
    }

    public readonly record struct Celsius(int Degrees);

    public sealed class CelsiusCodec : Codec<Celsius>
    {
        public override ulong SchemaHash => 0xCE;

        public override void Write(BlockWriter writer, ReadOnlySpan<Celsius> items)
        {
            foreach (var item in items) writer.WriteByte((byte)item.Degrees);
        }

        public override void Read(ref BlockReader reader, Span<Celsius> items)
        {
            for (var i = 0; i < items.Length; i++) items[i] = new Celsius(reader.ReadByte());
        }
    }
}
