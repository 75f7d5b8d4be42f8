using Dataflow.Sql.ParquetEncodings;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Parquet;

public unsafe class BitUnpackTests
{
    [Fact]
    public void Vectors_and_the_plain_loop_unpack_alike_at_every_width()
    {
        const int seed = 17;
        var random = new Random(seed);
        using var memory = new GuardedMemory(8192);
        for (var width = 0; width <= 32; width++)
        {
            var count = random.Next(1, 200);
            var packed = new byte[((count * width) + 7) / 8];
            random.NextBytes(packed);

            // Room for as much as may be read past the end, and a page behind that may not be touched.
            var bytes = memory.AtEnd(packed.Length + 64);
            packed.CopyTo(bytes);
            var (fast, plain) = (new uint[count], new uint[count]);
            fixed (byte* from = bytes)
            fixed (uint* toFast = fast, toPlain = plain)
            {
                BitUnpack.Run(from, width, toFast, count);
                BitUnpack.RunScalar(from, width, toPlain, count);
                for (var i = 0; i < count; i++) Assert.Equal(plain[i], BitUnpack.One(from, width, i));
            }
            Assert.True(fast.AsSpan().SequenceEqual(plain), $"width {width}, count {count}, seed {seed}");
        }
    }

    [Fact]
    public void Runs_are_read_alike_in_pieces_of_any_size()
    {
        const int seed = 18;
        var random = new Random(seed);
        for (var round = 0; round < 50; round++)
        {
            var width = random.Next(1, 12);
            var (bytes, values) = RandomRuns(random, width);
            var padded = new byte[bytes.Length + 64];
            bytes.CopyTo(padded, 0);
            fixed (byte* at = padded)
            {
                var reader = new HybridReader();
                reader.Start(at, at + bytes.Length, width);
                var read = new uint[values.Length];
                for (var done = 0; done < values.Length;)
                {
                    var step = Math.Min(random.Next(1, 40), values.Length - done);
                    if (random.Next(4) == 0)
                    {
                        reader.Skip(step);
                        values.AsSpan(done, step).CopyTo(read.AsSpan(done));
                    }
                    else
                    {
                        fixed (uint* to = &read[done]) reader.Read(to, step);
                    }
                    done += step;
                }
                Assert.True(read.AsSpan().SequenceEqual(values), $"round {round}, width {width}, seed {seed}");
            }
        }
    }

    [Fact]
    public void Runs_of_one_bit_become_a_bitmap()
    {
        const int seed = 19;
        var random = new Random(seed);
        for (var round = 0; round < 50; round++)
        {
            var (bytes, values) = RandomRuns(random, 1);
            var padded = new byte[bytes.Length + 64];
            bytes.CopyTo(padded, 0);
            var bits = new ulong[(values.Length / 64) + 3];
            fixed (byte* at = padded)
            fixed (ulong* to = bits)
            {
                var reader = new HybridReader();
                reader.Start(at, at + bytes.Length, 1);
                var ones = 0;
                for (var done = 0; done < values.Length;)
                {
                    var step = Math.Min(random.Next(1, 100), values.Length - done);
                    ones += reader.ReadBits(to, done, step);
                    done += step;
                }
                Assert.Equal(values.Sum(value => (int)value), ones);
            }
            for (var i = 0; i < values.Length; i++) Assert.True((bits[i >> 6] >> (i & 63) & 1) == values[i], $"bit {i}, round {round}, seed {seed}");
        }
    }

    private static (byte[] Bytes, uint[] Values) RandomRuns(Random random, int width)
    {
        var bytes = new List<byte>();
        var values = new List<uint>();
        for (var run = 0; run < 6; run++)
        {
            if (random.Next(2) == 0)
            {
                var (count, value) = (random.Next(1, 120), (uint)random.Next(1 << width));
                Varint(bytes, count << 1);
                for (var i = 0; i < (width + 7) / 8; i++) bytes.Add((byte)(value >> (8 * i)));
                values.AddRange(Enumerable.Repeat(value, count));
                continue;
            }
            var groups = random.Next(1, 10);
            Varint(bytes, (groups << 1) | 1);
            var packed = new byte[groups * width];
            for (var i = 0; i < groups * 8; i++)
            {
                var value = (uint)random.Next(1 << width);
                values.Add(value);
                for (var bit = 0; bit < width; bit++) packed[((i * width) + bit) / 8] |= (byte)((value >> bit & 1) << (((i * width) + bit) % 8));
            }
            bytes.AddRange(packed);
        }
        return ([.. bytes], [.. values]);
    }

    private static void Varint(List<byte> bytes, int value)
    {
        for (; value >= 128; value >>= 7) bytes.Add((byte)(value | 128));
        bytes.Add((byte)value);
    }
}
