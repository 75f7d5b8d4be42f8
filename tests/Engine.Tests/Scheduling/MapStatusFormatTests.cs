using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Serialization;
using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Scheduling;

public sealed class MapStatusFormatTests
{
    [Theory]
    [InlineData(0, 2)]
    [InlineData(byte.MaxValue, 2)]
    [InlineData(byte.MaxValue + 1, 4)]
    [InlineData(ushort.MaxValue + 1, 8)]
    [InlineData(uint.MaxValue, 8)]
    [InlineData(uint.MaxValue + 1L, 16)]
    [InlineData(long.MaxValue, 16)]
    public void Sizes_take_as_many_bytes_as_the_largest_needs_and_come_back(long largest, int bytesOfBoth)
    {
        var (bytes, rows) = (new long[1000], new long[1000]);
        for (var i = 0; i < bytes.Length; i++) (bytes[i], rows[i]) = (largest / (i + 1), largest / (bytes.Length - i));
        var written = Write(new MapStatus(new MapLocation(new WorkerId(7), new TaskId(1L << 40)), bytes, rows, ulong.MaxValue));
        Assert.InRange(written.Length, 1000 * bytesOfBoth, (1000 * bytesOfBoth) + 40);

        var reader = new BlockReader(written);
        var read = MapStatusFormat.Read(ref reader);
        Assert.Equal(new MapLocation(new WorkerId(7), new TaskId(1L << 40)), read.Location);
        Assert.Equal(bytes, read.Bytes);
        Assert.Equal(rows, read.Rows);
        Assert.Equal(ulong.MaxValue, read.Checksum);
        Assert.Equal(0, reader.Remaining);
    }

    [Fact]
    public void Bytes_that_are_cut_short_are_an_error()
    {
        var written = Write(new MapStatus(new MapLocation(new WorkerId(1), new TaskId(2)), [1, 2, 3], [1, 1, 1], 0));
        for (var length = 0; length < written.Length; length++)
        {
            Assert.Throws<CorruptDataException>(() =>
            {
                var reader = new BlockReader(written.AsSpan(0, length));
                MapStatusFormat.Read(ref reader);
            });
        }
    }

    private static byte[] Write(MapStatus status)
    {
        using var writer = new BlockWriter();
        MapStatusFormat.Write(writer, status);
        return writer.Written.ToArray();
    }
}
