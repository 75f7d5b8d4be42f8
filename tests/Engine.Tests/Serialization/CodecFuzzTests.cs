using System.Collections.Immutable;
using System.Numerics;
using Dataflow.Serialization;
using static Dataflow.Engine.Tests.Serialization.CodecRoundTripTests;

namespace Dataflow.Engine.Tests.Serialization;

/// <summary>Seeded random values of many types: they come back, and their bytes, cut or changed, give a typed error or some value.</summary>
public class CodecFuzzTests
{
    public static TheoryData<Fuzzed> Types =>
    [
        Of<int>(), Of<bool>(), Of<decimal>(), Of<DateTimeOffset>(), Of<string?>(), Of<Uri?>(), Of<Version?>(), Of<System.Net.IPAddress?>(), Of<BigInteger>(),
        Of<(string?, int)>(), Of<(byte, long, bool, short)>(), Of<KeyValuePair<string, (int, double)>>(), Of<(int?, DateTime?, decimal?)?>(),
        Of<Visit?>(), Of<Named?>(), Of<Mixed>(), Of<Plain?>(), Of<Generic<string, Generic<DateOnly, Small?>>>(), Of<Point3>(), Of<HoldsEmpty>(),
        Of<int[]?>(), Of<string?[][]?>(), Of<(string, TimeOnly)[,]?>(), Of<List<(int, string?)>?>(), Of<HashSet<string?>?>(), Of<SortedSet<long>?>(),
        Of<Dictionary<string, List<double[]?>>?>(), Of<SortedDictionary<int, Visit?>?>(), Of<ImmutableArray<string?>>(), Of<ImmutableDictionary<int, string?>?>(),
        Of<Queue<Guid>?>(), Of<ImmutableList<Int128>?>(), Of<Animal?>(), Of<IShape?>(), Of<object?>(), Of<Folder?>(), Of<Chain?>(), Of<Json?>(),
        Of<Holder?>(), Of<Interfaces?>(), Of<Tree<int>?>(), Of<Tuple<int, string?, Tuple<DateTime>>>(),
    ];

    [Theory]
    [MemberData(nameof(Types))]
    public void Random_values_come_back(Fuzzed type) => type.RoundTrip();

    [Theory]
    [MemberData(nameof(Types))]
    public void Bytes_cut_anywhere_give_a_typed_error(Fuzzed type) => type.Cut();

    [Theory]
    [MemberData(nameof(Types))]
    public void Changed_bytes_give_a_typed_error_or_a_value_and_take_little_memory(Fuzzed type) => type.Change();

    [Theory]
    [MemberData(nameof(Types))]
    public void Equal_values_give_equal_bytes(Fuzzed type) => type.Repeat();

    private static Fuzzed Of<T>() => new Fuzzed<T>();

    public abstract class Fuzzed
    {
        public abstract void RoundTrip();

        public abstract void Cut();

        public abstract void Change();

        public abstract void Repeat();
    }

    private sealed class Fuzzed<T> : Fuzzed
    {
        private static readonly Codec<T> Compiled = Serialization.RoundTrip.Compiled.For<T>(), Reflected = Serialization.RoundTrip.Reflected.For<T>();

        public override string ToString() => TypeNames.Short(typeof(T));

        public override void RoundTrip()
        {
            for (var seed = 1; seed <= 4; seed++)
                WithSeed(seed, () => Serialization.RoundTrip.Of(new RandomValues(seed).Many<T>(25)));
        }

        public override void Cut()
        {
            var values = new RandomValues(5).Many<T>(4);
            var bytes = Serialization.RoundTrip.Write(Compiled, values);
            foreach (var codec in new[] { Compiled, Reflected })
                for (var length = 0; length < bytes.Length; length += 1 + length / 200)
                    Assert.False(TryRead(codec, bytes.AsSpan(0, length).ToArray(), values.Length), $"{length} of {bytes.Length} bytes were enough, seed 5");
        }

        public override void Change()
        {
            for (var seed = 10; seed < 13; seed++)
            {
                var random = new Random(seed);
                var values = new RandomValues(seed).Many<T>(4);
                var good = Serialization.RoundTrip.Write(Compiled, values);
                WithSeed(seed, () =>
                {
                    for (var round = 0; round < 60; round++)
                    {
                        var bad = good.ToArray();
                        for (var changes = random.Next(1, 4); changes > 0; changes--)
                            bad[random.Next(bad.Length)] = random.Next(3) switch { 0 => 0xFF, 1 => (byte)random.Next(4), _ => (byte)random.Next(256) };
                        TryRead(round % 8 == 0 ? Reflected : Compiled, bad, values.Length);
                    }
                });
            }
        }

        public override void Repeat()
        {
            var once = Serialization.RoundTrip.Write(Compiled, new RandomValues(7).Many<T>(20));
            Dirty(40);
            Assert.Equal(once, Serialization.RoundTrip.Write(Compiled, new RandomValues(7).Many<T>(20)));
        }

        // False for a typed error; any other exception fails the test, and so does memory out of proportion.
        private static bool TryRead(Codec<T> codec, byte[] bytes, int count)
        {
            var items = new T[count];
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                var reader = new BlockReader(bytes);
                codec.Read(ref reader, items);
                return true;
            }
            catch (Exception error) when (error is CorruptDataException or CodecException)
            {
                return false;
            }
            finally
            {
                var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.True(allocated < 2_000_000 + 1_000L * bytes.Length, $"{allocated:N0} bytes were allocated to read {bytes.Length:N0}");
            }
        }

        // Leaves junk on the stack, where padding would show it.
        private static int Dirty(int depth)
        {
            Span<byte> junk = stackalloc byte[512];
            junk.Fill((byte)(depth * 37 + 1));
            return depth == 0 ? junk[5] : Dirty(depth - 1) + junk[7];
        }

        private static void WithSeed(int seed, Action test)
        {
            try
            {
                test();
            }
            catch (Exception error)
            {
                throw new Xunit.Sdk.XunitException($"{TypeNames.Short(typeof(T))}, seed {seed}: {error}");
            }
        }
    }
}
