using System.Text;
using Dataflow.Compression;

namespace Dataflow.Engine.Tests.Compression;

public sealed class Crc32CTests
{
    [Fact]
    public void Known_vectors_come_out_right()
    {
        Assert.Equal(0u, Crc32C.Of([]));
        Assert.Equal(0xE3069283u, Crc32C.Of(Encoding.ASCII.GetBytes("123456789")));

        // RFC 3720, appendix B.4, whose bytes are written there lowest first.
        Assert.Equal(0x8A9136AAu, Crc32C.Of(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Of(Enumerable.Repeat((byte)0xFF, 32).ToArray()));
        Assert.Equal(0x46DD794Eu, Crc32C.Of(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()));
        Assert.Equal(0x113FDB5Cu, Crc32C.Of(Enumerable.Range(0, 32).Select(i => (byte)(31 - i)).ToArray()));
    }

    [Fact]
    public void Tables_and_instruction_agree_with_one_bit_at_a_time_at_every_length_and_alignment()
    {
        var data = Sample.Of("random", 4 * 4096 * 3 + 2000);
        foreach (var length in Enumerable.Range(0, 1700).Concat([4096 * 3 - 1, 4096 * 3, 4096 * 3 + 1, 2 * 4096 * 3 + 769, data.Length - 16]))
        {
            var slice = data.AsSpan(length % 13, length);
            var tables = Crc32C.ByTables(0xFFFFFFFF, slice);
            Assert.True(tables == Crc32C.ByInstruction(0xFFFFFFFF, slice), $"length {length}");
            if (length < 300)
                Assert.True(tables == BitByBit(slice), $"length {length}");
        }
    }

    [Fact]
    public void Appending_piece_by_piece_gives_the_checksum_of_the_whole()
    {
        var data = Sample.Of("random", 20_000);
        var whole = Crc32C.Of(data);
        for (var cut = 0; cut <= data.Length; cut += 97)
            Assert.Equal(whole, Crc32C.Append(Crc32C.Of(data.AsSpan(0, cut)), data.AsSpan(cut)));
    }

    [Fact]
    public void Two_checksums_combine_into_that_of_both_runs()
    {
        var data = Sample.Of("text", 5_000);
        var whole = Crc32C.Of(data);
        for (var cut = 0; cut <= data.Length; cut += 61)
            Assert.Equal(whole, Crc32C.Combine(Crc32C.Of(data.AsSpan(0, cut)), Crc32C.Of(data.AsSpan(cut)), data.Length - cut));
    }

    [Fact]
    public void Combining_works_for_runs_longer_than_memory()
    {
        // 2^40 zeros: the first half joined to the second, and a run of 2^39 - 3 joined to one of 2^39 + 3.
        var zeros = new uint[41];
        zeros[0] = Crc32C.Of([0]);
        for (var power = 1; power <= 40; power++)
            zeros[power] = Crc32C.Combine(zeros[power - 1], zeros[power - 1], 1L << (power - 1));
        var longer = Crc32C.Combine(zeros[39], Crc32C.Of([0, 0, 0]), 3);
        var shorter = Enumerable.Range(2, 37).Aggregate(Crc32C.Of([0]), (sum, power) => Crc32C.Combine(sum, zeros[power], 1L << power));
        Assert.Equal((1L << 39) - 3, 1 + Enumerable.Range(2, 37).Sum(power => 1L << power));
        Assert.Equal(zeros[40], Crc32C.Combine(shorter, longer, (1L << 39) + 3));

        Assert.Equal(7u, Crc32C.Combine(7, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Crc32C.Combine(1, 2, -1));
    }

    private static uint BitByBit(ReadOnlySpan<byte> data)
    {
        var crc = 0xFFFFFFFFu;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;
        }

        return crc;
    }
}
