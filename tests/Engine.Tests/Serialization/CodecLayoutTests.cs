using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Serialization;

namespace Dataflow.Engine.Tests.Serialization;

public class CodecLayoutTests
{
    [Fact]
    public void Types_without_references_and_padding_are_their_memory()
    {
        Assert.True(IsBlittable<int>());
        Assert.True(IsBlittable<Guid>());
        Assert.True(IsBlittable<(long, double)>());
        Assert.True(IsBlittable<(int, (short, char))>());
        Assert.True(IsBlittable<KeyValuePair<int, float>>());
        Assert.True(IsBlittable<CodecRoundTripTests.Point3>());
        Assert.True(IsBlittable<DayOfWeek>());
        Assert.True(IsBlittable<Int128>());
        Assert.True(IsBlittable<CodecRoundTripTests.Union>());
    }

    [Fact]
    public void Padding_references_and_values_that_need_a_check_are_not()
    {
        Assert.False(IsBlittable<(byte, long)>());
        Assert.False(IsBlittable<(int, long, short)>());
        Assert.False(IsBlittable<(long, Int128)>());
        Assert.False(IsBlittable<int?>());
        Assert.False(IsBlittable<(int, int?)>());
        Assert.False(IsBlittable<bool>());
        Assert.False(IsBlittable<(int, bool)>());
        Assert.False(IsBlittable<decimal>());
        Assert.False(IsBlittable<(DateTime, long)>());
        Assert.False(IsBlittable<string>());
        Assert.False(IsBlittable<CodecRoundTripTests.Gaps>());
        Assert.False(IsBlittable<CodecRoundTripTests.EmptyStruct>());
    }

    [Fact]
    public void What_lies_between_the_fields_is_never_written()
    {
        SameBytes(value => value with { Item1 = 1, Item2 = 2 }, default((byte, long)));
        SameBytes(value => value with { Item1 = 1, Item2 = 2, Item3 = 3 }, default((int, long, short)));
        SameBytes(value => value with { Item1 = 1, Item2 = new DateTimeOffset(1, default) }, default((byte, DateTimeOffset)));
        SameBytes(value => value with { Item1 = 5, Item2 = true }, default((int, bool)));
        SameBytes(
            value =>
            {
                value.First = 1;
                value.Last = 2;
                return value;
            },
            default(CodecRoundTripTests.Gaps));
    }

    [Fact]
    public void The_schema_tells_layout_members_and_elements()
    {
        const string here = "Dataflow.Engine.Tests.Serialization.";
        Assert.Equal("(string, int){Item1:string, Item2:int}", Codec<(string, int)>.Default.Schema);
        Assert.Equal("(long, double)[16]{Item1:long@0, Item2:double@8}", Codec<(long, double)>.Default.Schema);
        Assert.Equal("System.Collections.Generic.Dictionary<string, System.DateOnly?[]>", Codec<Dictionary<string, DateOnly?[]>>.Default.Schema);
        Assert.Equal($"{here}CodecRoundTripTests.Chain{{Value:int, Next:{here}CodecRoundTripTests.Chain}}", Codec<CodecRoundTripTests.Chain>.Default.Schema);
        Assert.Equal("System.DayOfWeek(int)", Codec<DayOfWeek>.Default.Schema);
        Assert.Equal("int[,][]", Codec<int[][,]>.Default.Schema);
    }

    [Fact]
    public void The_schema_hash_is_the_same_in_every_process()
    {
        // Written down once: a change here makes every stored block unreadable.
        Assert.Equal(255568117162359316UL, Codec<int>.Default.SchemaHash);
        Assert.Equal(8451040147398775737UL, Codec<(string, int)>.Default.SchemaHash);
        Assert.NotEqual(Codec<(string, int)>.Default.SchemaHash, Codec<KeyValuePair<string, int>>.Default.SchemaHash);
    }

    [Fact]
    public void The_bytes_of_common_types_are_as_documented()
    {
        Assert.Equal("0100000002000000", Hex(1, 2));
        Assert.Equal("00" + "01" + "0261" + "03C3A9", Hex(null, "", "a", "é"));
        Assert.Equal("0261" + "07000000", Hex(("a", 7)));
        Assert.Equal("00" + "0105000000", Hex<int?>(null, 5));
        Assert.Equal("00" + "01" + "03" + "0102", Hex<byte[]?>(null, [], [1, 2]));
        Assert.Equal("03" + "02" + "0261" + "01000000" + "0262" + "02000000",
            Hex(new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase) { ["a"] = 1, ["b"] = 2 }));
        Assert.Equal("00" + "01" + "0261", Hex(null, new CodecRoundTripTests.Animal("a")));
    }

    [Fact]
    public void Many_threads_may_build_and_use_the_same_codecs_at_once()
    {
        for (var round = 0; round < 5; round++)
        {
            var codecs = new CodecSet(compiles: true);
            var values = Enumerable.Range(0, 200).Select(i => new CodecRoundTripTests.Folder($"f{i}", [new CodecRoundTripTests.Folder("x", [])])).ToArray();
            var expected = RoundTrip.Show(values);
            using var start = new Barrier(4);
            var found = new System.Collections.Concurrent.ConcurrentBag<Codec<CodecRoundTripTests.Folder>>();
            var threads = Enumerable.Range(0, 4).Select(i => new Thread(() =>
            {
                start.SignalAndWait();
                if (i % 2 == 0) codecs.For<List<CodecRoundTripTests.Folder>>();
                var codec = codecs.For<CodecRoundTripTests.Folder>();
                if (RoundTrip.Show(RoundTrip.Read(codec, RoundTrip.Write<CodecRoundTripTests.Folder>(codec, values), values.Length)) == expected) found.Add(codec);
            })).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());

            Assert.Equal(4, found.Count);
            Assert.Single(found.Distinct());
        }
    }

    private static bool IsBlittable<T>() => RoundTrip.Compiled.For<T>().IsBlittable;

    private static string Hex<T>(params T[] values) => Convert.ToHexString(RoundTrip.Of(values));

    // The same fields over memory full of ones and over memory full of zeros.
    private static void SameBytes<T>(Func<T, T> fill, T blank)
        where T : unmanaged
    {
        var dirty = new T[1];
        MemoryMarshal.AsBytes(dirty.AsSpan()).Fill(0xFF);
        var clean = new T[1];
        SetFields(ref dirty[0], fill(blank));
        SetFields(ref clean[0], fill(blank));
        Assert.NotEqual(MemoryMarshal.AsBytes(clean.AsSpan()).ToArray(), MemoryMarshal.AsBytes(dirty.AsSpan()).ToArray());
        foreach (var codecs in new[] { RoundTrip.Compiled, RoundTrip.Reflected })
            Assert.Equal(RoundTrip.Write<T>(codecs.For<T>(), clean), RoundTrip.Write<T>(codecs.For<T>(), dirty));
    }

    private static void SetFields<T>(ref T target, T source)
        where T : unmanaged
    {
        // Byte by byte, so that the gaps keep what they held.
        var covered = MemoryLayout.Of(typeof(T)).Covered;
        for (var i = 0; i < Unsafe.SizeOf<T>(); i++)
            if (covered[i]) Unsafe.Add(ref Unsafe.As<T, byte>(ref target), i) = Unsafe.Add(ref Unsafe.As<T, byte>(ref source), i);
    }
}
