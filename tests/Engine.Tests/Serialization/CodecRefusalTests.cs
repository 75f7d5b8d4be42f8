using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Dataflow.Closures;
using Dataflow.Serialization;

namespace Dataflow.Engine.Tests.Serialization;

public class CodecRefusalTests
{
    private const string OpenIt = "it holds a resource of this process (it is IDisposable); "
        + "next: keep what is needed to open it, a path or an address, and open it inside MapPartitions.";

    public static TheoryData<Type, string> Refused => new()
    {
        { typeof(Order), $"Order.Lines[].Connection (SqlConnection) can't be encoded: {OpenIt}" },
        { typeof(Order[]), $"Order[][].Lines[].Connection (SqlConnection) can't be encoded: {OpenIt}" },
        { typeof(SqlConnection), $"SqlConnection can't be encoded: {OpenIt}" },
        { typeof((string, FileStream)), $"(string, FileStream).Item2 (FileStream) can't be encoded: {OpenIt}" },
        { typeof(Dictionary<string, List<Line?>>), $"Dictionary<string, List<Line>>.Values[][].Connection (SqlConnection) can't be encoded: {OpenIt}" },
        { typeof(IReadOnlyList<Line>), $"IReadOnlyList<Line>[].Connection (SqlConnection) can't be encoded: {OpenIt}" },
        { typeof(Named<Regex>), "Named<Regex>.Value (Regex) can't be encoded: it is a class of .NET whose fields are its own affair; "
            + "next: keep the values you need from it, or register a codec with CodecRegistry.Register<Regex>." },
        { typeof(Named<OwnList>), "Named<OwnList>.Value (OwnList) can't be encoded: it derives from List<int>, a class of .NET with state of its own; "
            + "next: keep the values you need from it, or register a codec with CodecRegistry.Register<OwnList>." },
        { typeof(Named<Func<int>>), "Named<Func<int>>.Value (Func<int>) can't be encoded: a delegate is code, not data; "
            + "next: keep the values it works on, or mark the field [field: NonSerialized] to leave it out." },
        { typeof(WithEvent), "WithEvent.Changed (Action) can't be encoded: a delegate is code, not data; "
            + "next: keep the values it works on, or mark the field [field: NonSerialized] to leave it out." },
        { typeof(Named<nint>), "Named<nint>.Value (nint) can't be encoded: an address or handle means nothing in another process; next: keep the data it points to." },
        { typeof(GCHandle), "GCHandle._handle (nint) can't be encoded: an address or handle means nothing in another process; next: keep the data it points to." },
        { typeof(Pointer), "Pointer.Address (int*) can't be encoded: an address or handle means nothing in another process; next: keep the data it points to." },
        { typeof(Span<int>), "Span<int> can't be encoded: an address or handle means nothing in another process; next: keep the data it points to." },
        { typeof(Named<Context>), "Named<Context>.Value (Context) can't be encoded: it lives in the driver program only; "
            + "next: collect it first, or use its elements in a join." },
        { typeof(Named<Finalized>), "Named<Finalized>.Value (Finalized) can't be encoded: it has a finalizer, so it owns a resource of this process; "
            + "next: keep the values you need from it, or register a codec with CodecRegistry.Register<Finalized>." },
        { typeof(Named<INobody>), "Named<INobody>.Value (INobody) can't be encoded: no class that implements it is known; "
            + "next: make the member's type a class, or name its classes with CodecRegistry.RegisterSubtypes<INobody>." },
        { typeof(IDisposable), "IDisposable can't be encoded: no class that implements it is known; "
            + "next: make the member's type a class, or name its classes with CodecRegistry.RegisterSubtypes<IDisposable>." },
        { typeof(SortedSet<Unordered>), "SortedSet<Unordered> can't be encoded: Unordered has no order of its own (IComparable), and custom comparers don't travel; "
            + "next: implement IComparable on it, or keep a plain Dictionary or HashSet." },
        { typeof(Overlaid), "Overlaid can't be encoded: it lays out references by hand (LayoutKind.Explicit); next: keep the references in a struct of their own." },
        { typeof(Vector<int>), "Vector<int> can't be encoded: its size differs from machine to machine; next: keep an array." },
        { typeof(List<>), "List<T> can't be encoded: it has no values; next: name a type that has." },
        { typeof(void), "void can't be encoded: it has no values; next: name a type that has." },
        { typeof(Endless<int>), "Endless<int>.Next.Next.Next.Next... (Endless<" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_type_is_refused_by_the_path_of_the_member_that_cannot_be_encoded(Type type, string message)
    {
        foreach (var codecs in new[] { RoundTrip.Compiled, RoundTrip.Reflected })
        {
            Assert.False(codecs.CanEncode(type, out var why));
            if (message.EndsWith('.')) Assert.Equal(message, why);
            else Assert.StartsWith(message, why);
        }
    }

    [Fact]
    public void The_default_codec_of_a_refused_type_says_why_each_time_it_is_asked_for()
    {
        for (var i = 0; i < 2; i++)
        {
            var error = Assert.Throws<CodecException>(() => Codec<Order>.Default);
            Assert.StartsWith("Order.Lines[].Connection (SqlConnection) can't be encoded: ", error.Message);
        }
        Assert.True(CodecRegistry.CanEncode(typeof(Named<int>), out var why));
        Assert.Null(why);
        Assert.Same(Codec<Named<int>>.Default, CodecRegistry.For<Named<int>>());
    }

    [Fact]
    public void A_cycle_is_refused_when_it_is_written()
    {
        var ring = new Ring();
        ring.Next = ring;
        var list = new List<object>();
        list.Add(list);
        const string next = "it nests deeper than 256 levels, or refers to itself; next: keep long chains as a list, and replace references back by keys.";
        foreach (var codecs in new[] { RoundTrip.Compiled, RoundTrip.Reflected })
        {
            Refuses(codecs, ring, $"Ring can't be encoded: {next}");
            Refuses(codecs, list, $"List<object> can't be encoded: {next}");
            Refuses<object>(codecs, list, "List<object> can't be encoded where object is declared: it is not known to stand in for it; "
                + "next: call CodecRegistry.RegisterSubtypes<object>(typeof(List<object>)) in a module initializer of its assembly.");
        }
    }

    [Fact]
    public void A_chain_is_written_up_to_256_levels_and_refused_beyond()
    {
        Ring? chain = null;
        for (var i = 0; i < 256; i++) chain = new Ring { Next = chain };
        foreach (var codecs in new[] { RoundTrip.Compiled, RoundTrip.Reflected })
        {
            RoundTrip.Read(codecs.For<Ring>(), RoundTrip.Write(codecs.For<Ring>(), [chain!]), 1);
            Refuses(codecs, new Ring { Next = chain }, "Ring can't be encoded: it nests deeper");
        }
    }

    [Fact]
    public void Comparers_of_ones_own_are_refused_by_name()
    {
        foreach (var codecs in new[] { RoundTrip.Compiled, RoundTrip.Reflected })
        {
            Refuses(codecs, new Dictionary<string, int>(new ByLength()),
                "A Dictionary<string, int> with the comparer ByLength can't be encoded: only the default comparer and StringComparer's Ordinal, OrdinalIgnoreCase, "
                + "InvariantCulture and InvariantCultureIgnoreCase travel; next: use one of them, or make the collection anew inside the task.");
            Refuses(codecs, new HashSet<string>(new ByLength()), "A HashSet<string> with the comparer ByLength can't be encoded: ");
            Refuses(codecs, new SortedSet<string>(Comparer<string>.Create((a, b) => 0)), "A SortedSet<string> with the comparer ComparisonComparer<string> can't");
            Refuses(codecs, new HashSet<object>(ReferenceEqualityComparer.Instance), "A HashSet<object> with the comparer ReferenceEqualityComparer can't");
            Refuses(codecs, ImmutableDictionary.Create<string, string>(null, new ByLength()), "A ImmutableDictionary<string, string> with the comparer ByLength can't");
        }
    }

    [Fact]
    public void Values_of_types_not_known_are_refused_by_name()
    {
        foreach (var codecs in new[] { RoundTrip.Compiled, RoundTrip.Reflected })
        {
            Refuses<object>(codecs, new StringBuilder(), "StringBuilder can't be encoded where object is declared: it is not known to stand in for it; "
                + "next: call CodecRegistry.RegisterSubtypes<object>(typeof(StringBuilder)) in a module initializer of its assembly.");
            Refuses(codecs, Enumerable.Range(0, 3).Select(i => i * 2), "RangeSelectIterator<int, int> can't be encoded where IEnumerable<int> is declared: "
                + "it is not a collection but a recipe or a view of one; next: keep a copy, with ToArray() or ToList().");
            Refuses(codecs, new Tuple<List<int>>(new OwnList()), "OwnList can't be encoded where List<int> is declared: it derives from it, and what it adds would be lost; "
                + "next: copy its elements into a List<int>.");
            Refuses<Base>(codecs, new Leaky(_ => 1), "Leaky.Code (Func<int, int>) can't be encoded: a delegate is code, not data; ");
        }
    }

    [Fact]
    public void Registered_subtypes_may_stand_in()
    {
        foreach (var compiles in new[] { true, false })
        {
            var codecs = new CodecSet(compiles);
            codecs.For<object>();
            codecs.RegisterSubtypes(typeof(object), [typeof(Unordered), typeof(List<object>), typeof(DayOfWeek)]);
            object value = new List<object> { new Unordered(3), DayOfWeek.Friday, new List<object>() };
            var bytes = RoundTrip.Write(codecs.For<object>(), [value, value]);
            Assert.Equal(RoundTrip.Show(value), RoundTrip.Show(RoundTrip.Read(codecs.For<object>(), bytes, 2)[1]));

            var elsewhere = new CodecSet(compiles);
            var error = Assert.Throws<CodecException>(() => RoundTrip.Read(elsewhere.For<object>(), bytes, 2));
            Assert.StartsWith("The data holds 'System.Collections.Generic.List<object>' (schema ", error.Message);
            Assert.Contains("no type of that name and format is known here; next: ", error.Message);
        }
    }

    [Fact]
    public void Registering_what_cannot_stand_in_is_refused()
    {
        var codecs = new CodecSet(compiles: true);
        Assert.Throws<ArgumentException>(() => codecs.RegisterSubtypes(typeof(Base), [typeof(string)]));
        Assert.Throws<ArgumentException>(() => codecs.RegisterSubtypes(typeof(object), [typeof(List<>)]));
        Assert.Throws<ArgumentException>(() => codecs.RegisterSubtypes(typeof(object), [typeof(Stream)]));
        Assert.Throws<CodecException>(() => codecs.RegisterSubtypes(typeof(object), [typeof(Unordered), typeof(Regex)]));
        Assert.Empty(codecs.RegisteredSubtypes);
    }

    [Fact]
    public void Names_in_the_data_make_no_type_that_the_reader_does_not_know()
    {
        // The type is loaded and encodable, but nothing in the reader's own types leads to it.
        var writer = new CodecSet(compiles: true);
        writer.RegisterSubtypes(typeof(object), [typeof(Unordered)]);
        var bytes = RoundTrip.Write(writer.For<object>(), [new Unordered(1)]);
        RoundTrip.Compiled.For<Unordered>();
        Assert.Throws<CodecException>(() => RoundTrip.Read(RoundTrip.Compiled.For<object>(), bytes, 1));

        // And one that it knows for another member does not fit this one.
        var known = RoundTrip.Write(RoundTrip.Compiled.For<object>(), [(object)"text"]);
        Assert.Throws<CodecException>(() => RoundTrip.Read(RoundTrip.Compiled.For<IComparable<int>>(), known, 1));
    }

    [Fact]
    public void Arrays_that_do_not_begin_at_zero_are_refused()
    {
        var grid = (int[,])Array.CreateInstance(typeof(int), [2, 2], [1, 1]);
        Refuses(RoundTrip.Compiled, grid, "A int[,] whose indices begin at 1 can't be encoded; next: copy it into one that begins at 0.");
    }

    private static void Refuses<T>(CodecSet codecs, T value, string message)
    {
        var error = Assert.Throws<CodecException>(() => RoundTrip.Write(codecs.For<T>(), [value]));
        if (message.EndsWith('.')) Assert.Equal(message, error.Message);
        else Assert.StartsWith(message, error.Message);
    }

    public sealed class SqlConnection : System.ComponentModel.Component;

    public record Line(int Id, SqlConnection Connection);

    public record Order(int Id, List<Line> Lines);

    public record Named<T>(T Value);

    public class OwnList : List<int>;

    public class WithEvent
    {
        public event Action? Changed;

        public void Raise() => Changed?.Invoke();
    }

    public unsafe struct Pointer
    {
        public int* Address;
    }

    public class Context : IDriverOnly;

    public class Finalized
    {
        ~Finalized() => GC.KeepAlive(this);
    }

    public interface INobody;

    public record Unordered(int X);

    [StructLayout(LayoutKind.Explicit)]
    public struct Overlaid
    {
        [FieldOffset(0)] public string Text;
        [FieldOffset(8)] public int Number;
    }

    public class Endless<T>
    {
        public Endless<List<T>>? Next;
    }

    public sealed class Ring
    {
        public Ring? Next;
    }

    public abstract record Base;

    public sealed record Fine : Base;

    public sealed record Leaky(Func<int, int> Code) : Base;

    private sealed class ByLength : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => x?.Length == y?.Length;

        public int GetHashCode(string obj) => obj.Length;
    }
}
