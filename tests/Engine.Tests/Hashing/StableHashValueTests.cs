using System.Net;
using System.Numerics;
using Dataflow.Hashing;

namespace Dataflow.Engine.Tests.Hashing;

/// <summary>
/// The hashes themselves. A driver, its workers and its next run must agree on them, whatever the process, the machine and the build; a
/// change here moves every key to another partition. Those of whole numbers and texts were computed from the definition by another program.
/// </summary>
public sealed class StableHashValueTests
{
    [Fact]
    public void Hashes_are_what_they_have_always_been()
    {
        Pinned<int>(42, 0x347664AB2868F281);
        Pinned<int>(-1, 0x43795470960BF082);
        Pinned<long>(1L << 40, 0xDE1A76E0DD6D118F);
        Pinned<byte>(7, 0x7C8EDE3F3971A518);
        Pinned<bool>(true, 0x23C7C58F9213A76A);
        Pinned<char>('x', 0x4A76365D119A5FE3);
        Pinned<uint>(uint.MaxValue, 0x237921044FB46058);
        Pinned<ulong>(ulong.MaxValue, 0x43795470960BF082);
        Pinned<Int128>((Int128)1 << 100, 0xBA70907C2461F451);
        Pinned<BigInteger>(BigInteger.Pow(-3, 99), 0x5FE04A2731CE5C16);
        Pinned<double>(1.5, 0x2546132307BB56B6);
        Pinned<double>(double.NaN, 0xA54D34F37F8BDF45);
        Pinned<double>(-0.0, 0xE5C58D331CA1768E);
        Pinned<float>(1.5f, 0x2546132307BB56B6);
        Pinned<Half>((Half)1.5, 0x2546132307BB56B6);
        Pinned<decimal>(1.50m, 0xEC7806FFA9EF33B1);
        Pinned<decimal>(-79228162514264337593543950335m, 0xD321274125325494);
        Pinned<DateTime>(new DateTime(2024, 2, 29, 12, 30, 0), 0x807AD8F7A368DEAC);
        Pinned<DateTimeOffset>(new DateTimeOffset(2024, 2, 29, 12, 30, 0, TimeSpan.FromHours(2)), 0x8A72B80EF667403F);
        Pinned<DateOnly>(new DateOnly(2024, 2, 29), 0xF0A3626280C1A24D);
        Pinned<TimeOnly>(new TimeOnly(12, 30), 0x7D4D99797487ADA7);
        Pinned<TimeSpan>(TimeSpan.FromSeconds(90), 0x14550E16AB784339);
        Pinned<Guid>(new Guid("00112233-4455-6677-8899-aabbccddeeff"), 0xD60C20F0A5187BA2);
        Pinned<Version>(new Version(1, 2, 3), 0x7BFDF6B3E0CEB9A5);
        Pinned<Uri>(new Uri("http://example.org/a?b#c"), 0xE66363697BB512E9);
        Pinned<IPAddress>(IPAddress.Loopback, 0x3911847F9D651177);
        Pinned<DayOfWeek>(DayOfWeek.Friday, 0x82F136BDB98045B9);
        Pinned<int?>(42, 0x347664AB2868F281);
        Pinned<string>("", 0xE26FF7BBF7D40C23);
        Pinned<string>("a", 0x361EB534957C4967);
        Pinned<string>("abc", 0x5A15946F0137B0BB);
        Pinned<string>("dataflow", 0xA8DBED0EACB69393);
        Pinned<string>("user-0000002a", 0xF6535D48E713204B);
        Pinned<string>("sixteen letters!", 0xEF1A82B5546A8F31);
        Pinned<string>("twenty-four letters long", 0xB3C98FE966D4886B);
        Pinned<string>("the quick brown fox jumps over the lazy dog", 0x16308018B8433CA8);
        Pinned<string>("h\u00e9llo w\u00f6rld \ud83d\ude00", 0xEB1312E1C833C01E);
        Pinned<(int, int)>((1, 2), 0xC05E70AF162CF980);
        Pinned<(string, long, double)>(("a", 2, 3.5), 0xD8DC633B4EA4719E);
        Pinned<(int, int, int, int, int, int, int, int)>((1, 2, 3, 4, 5, 6, 7, 8), 0xE5FA946F77B66047);
        Pinned<Tuple<int, string?>>(Tuple.Create(1, (string?)null), 0x999FC6C4DC5DBD05);
        Pinned<KeyValuePair<string, int>>(new("k", 1), 0x16F11A69B1F86628);
        Pinned<Shape>(new Circle("c", 2), 0x4289CAF98B3E26A8);
        Pinned<Place>(new Place(48.2, 16.4, null), 0xCEB669950E7F7FF8);
        Pinned<Plain>(new Plain(1, "a", 0.5), 0x07BDC54CF10BB1F1);
        Pinned(new { Id = 1, Name = "a" }, 0x19E93211B751881A);
    }

    [Theory]
    [InlineData(0u, 8, 0)]
    [InlineData(1u, 8, 4)]
    [InlineData(2u, 8, 1)]
    [InlineData(uint.MaxValue, 8, 3)]
    [InlineData(uint.MaxValue, 1, 0)]
    [InlineData(0x12345678u, 1000, 964)]
    public void Partitions_are_what_they_have_always_been(uint hash, int partitions, int expected) =>
        Assert.Equal(expected, StableHash.PartitionOf(hash, partitions));

    private static void Pinned<TKey>(TKey key, ulong expected) =>
        Assert.True(expected == StableHash<TKey>.Of64(key), $"{typeof(TKey)} {key}: 0x{StableHash<TKey>.Of64(key):X16} instead of 0x{expected:X16}");
}
