using System.Runtime.InteropServices;
using Dataflow.Errors;
using Dataflow.Scheduling;
using Dataflow.Serialization;
using Dataflow.Shuffle;

namespace Dataflow.Tasks;

/// <summary>
/// What a map task tells of its output, as bytes. A thousand maps to a thousand reduce partitions make a million sizes of each kind, so that they take most of what executors say:
/// all sizes of one kind take as many bytes as the largest needs, 1, 2, 4 or 8, which a driver reads at memory speed.
/// </summary>
internal static class MapStatusFormat
{
    public static void Write(BlockWriter writer, MapStatus status)
    {
        writer.WriteUnmanaged(status.Location.Server.Value);
        writer.WriteUnmanaged(status.Location.Writer.Value);
        writer.WriteUnmanaged(status.Checksum);
        Write(writer, status.Bytes);
        Write(writer, status.Rows);
    }

    /// <exception cref="CorruptDataException">The bytes are no status of a map output.</exception>
    public static MapStatus Read(ref BlockReader reader)
    {
        var location = new MapLocation(new WorkerId(reader.ReadUnmanaged<int>()), new TaskId(reader.ReadUnmanaged<long>()));
        var checksum = reader.ReadUnmanaged<ulong>();
        return new MapStatus(location, ReadSizes(ref reader), ReadSizes(ref reader), checksum);
    }

    private static void Write(BlockWriter writer, long[] sizes)
    {
        var all = 0UL;
        foreach (var size in sizes) all |= (ulong)size;
        var width = all switch
        {
            <= byte.MaxValue => 1,
            <= ushort.MaxValue => 2,
            <= uint.MaxValue => 4,
            _ => 8,
        };
        writer.WriteCount(sizes.Length);
        writer.WriteByte((byte)width);
        var into = writer.GetSpan(sizes.Length * width)[..(sizes.Length * width)];
        switch (width)
        {
            case 1:
                for (var i = 0; i < sizes.Length; i++) into[i] = (byte)sizes[i];
                break;
            case 2:
                var shorts = MemoryMarshal.Cast<byte, ushort>(into);
                for (var i = 0; i < sizes.Length; i++) shorts[i] = (ushort)sizes[i];
                break;
            case 4:
                var ints = MemoryMarshal.Cast<byte, uint>(into);
                for (var i = 0; i < sizes.Length; i++) ints[i] = (uint)sizes[i];
                break;
            default:
                MemoryMarshal.AsBytes<long>(sizes).CopyTo(into);
                break;
        }
        writer.Advance(into.Length);
    }

    private static long[] ReadSizes(ref BlockReader reader)
    {
        var count = reader.ReadCount();
        var width = reader.ReadByte();
        if (count < 0 || width is not (1 or 2 or 4 or 8)) throw new CorruptDataException($"A map output announces {count} sizes of {width} bytes.");
        var from = reader.ReadBytes(checked(count * width));
        var sizes = GC.AllocateUninitializedArray<long>(count);
        switch (width)
        {
            case 1:
                for (var i = 0; i < sizes.Length; i++) sizes[i] = from[i];
                break;
            case 2:
                var shorts = MemoryMarshal.Cast<byte, ushort>(from);
                for (var i = 0; i < sizes.Length; i++) sizes[i] = shorts[i];
                break;
            case 4:
                var ints = MemoryMarshal.Cast<byte, uint>(from);
                for (var i = 0; i < sizes.Length; i++) sizes[i] = ints[i];
                break;
            default:
                MemoryMarshal.Cast<byte, long>(from).CopyTo(sizes);
                break;
        }
        return sizes;
    }
}
