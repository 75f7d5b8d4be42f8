using System.Numerics;

namespace Dataflow.Tracking;

/// <summary>
/// How large the map outputs of one shuffle are: exactly by reduce partition, and within 5 % by map output and reduce partition.
/// </summary>
/// <remarks>
/// One byte for each pair of map output and reduce partition, on a logarithmic scale: 10 MB for 10,000 maps x 1,000 reduce partitions.
/// Above <see cref="MostExact"/> reduce partitions one bit (empty or not) and an average for each map output.
/// </remarks>
public sealed class MapOutputSizes
{
    /// <summary>Most reduce partitions whose sizes are kept one by one.</summary>
    public const int MostExact = 2000;

    // Bits of a float's mantissa that tell one size from another: finer than a step of the scale by far.
    private const int ScaleBits = 9;
    private const int ScaleShift = 23 - ScaleBits;
    private const int ScaleOrigin = 127 << ScaleBits;

    // From 1 byte to 64 GB, which is beyond the scale. A logarithm for each of a thousand sizes of a thousand map outputs would be most of what the scheduler does.
    private static readonly byte[] Scale = [.. Enumerable.Range(0, 36 << ScaleBits).Select(ScaleOf)];

    private readonly byte[]?[] _cells;
    private readonly long[] _average;
    private readonly long[] _bytes;
    private readonly long[] _rows;

    internal MapOutputSizes(int maps, int reducePartitions)
    {
        Maps = maps;
        ReducePartitions = reducePartitions;
        _cells = new byte[maps][];
        _average = reducePartitions > MostExact ? new long[maps] : [];
        _bytes = new long[reducePartitions];
        _rows = new long[reducePartitions];
    }

    /// <summary>How many map outputs there are.</summary>
    public int Maps { get; }

    /// <summary>How many reduce partitions each is cut into.</summary>
    public int ReducePartitions { get; }

    /// <summary>Bytes of one reduce partition over all map outputs.</summary>
    /// <param name="reduce">The reduce partition.</param>
    public long BytesOf(int reduce) => _bytes[reduce];

    /// <summary>Rows of one reduce partition over all map outputs.</summary>
    /// <param name="reduce">The reduce partition.</param>
    public long RowsOf(int reduce) => _rows[reduce];

    /// <summary>Bytes of one reduce partition in one map output, within 5 % (above <see cref="MostExact"/>: the output's average); exact when 0.</summary>
    /// <param name="map">The map output.</param>
    /// <param name="reduce">The reduce partition.</param>
    public long BytesOf(int map, int reduce)
    {
        if (_cells[map] is not { } cells) return 0;
        if (ReducePartitions <= MostExact) return Decode(cells[reduce]);
        return (cells[reduce >> 3] >> (reduce & 7) & 1) == 0 ? 0 : _average[map];
    }

    /// <summary>Notes the sizes of one output.</summary>
    /// <remarks>The sums count a map's output once: the task that writes it again writes the same rows. Where it does not,
    /// <see cref="Clear"/> is called before.</remarks>
    internal void Set(int map, ReadOnlySpan<long> bytes, ReadOnlySpan<long> rows)
    {
        var isNew = _cells[map] is null;
        if (isNew)
        {
            Add(bytes, _bytes);
            Add(rows, _rows);
        }

        if (ReducePartitions <= MostExact)
        {
            var cells = new byte[ReducePartitions];
            var scale = Scale;
            for (var i = 0; i < bytes.Length; i++)
            {
                var at = PlaceOf(bytes[i]);
                cells[i] = (uint)at < (uint)scale.Length ? scale[at] : bytes[i] <= 0 ? (byte)0 : byte.MaxValue;
            }
            _cells[map] = cells;
            return;
        }

        var filled = new byte[(ReducePartitions + 7) / 8];
        long sum = 0, count = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == 0) continue;
            filled[i >> 3] |= (byte)(1 << (i & 7));
            sum += bytes[i];
            count++;
        }
        _cells[map] = filled;
        _average[map] = count == 0 ? 0 : sum / count;
    }

    /// <summary>Forgets all sizes.</summary>
    internal void Clear()
    {
        Array.Clear(_cells);
        Array.Clear(_average);
        Array.Clear(_bytes);
        Array.Clear(_rows);
    }

    /// <summary>A copy that stays as it is.</summary>
    internal MapOutputSizes Snapshot()
    {
        var copy = new MapOutputSizes(Maps, ReducePartitions);
        _cells.CopyTo(copy._cells, 0);
        _average.CopyTo(copy._average, 0);
        _bytes.CopyTo(copy._bytes, 0);
        _rows.CopyTo(copy._rows, 0);
        return copy;
    }

    internal static byte Encode(long bytes) =>
        bytes <= 0 ? (byte)0 : PlaceOf(bytes) is var at && at < Scale.Length ? Scale[at] : byte.MaxValue;

    internal static long Decode(byte size) => size == 0 ? 0 : (long)Math.Round(Math.Pow(1.1, size - 1));

    // The exponent and the first bits of the mantissa of a size, counted from those of 1 byte.
    private static int PlaceOf(long bytes) => (BitConverter.SingleToInt32Bits(bytes) >> ScaleShift) - ScaleOrigin;

    private static byte ScaleOf(int place)
    {
        var least = BitConverter.Int32BitsToSingle((place + ScaleOrigin) << ScaleShift);
        var next = BitConverter.Int32BitsToSingle((place + 1 + ScaleOrigin) << ScaleShift);
        return (byte)Math.Min(byte.MaxValue, 1 + Math.Round(Math.Log((least + next) / 2) / Math.Log(1.1)));
    }

    private static void Add(ReadOnlySpan<long> what, Span<long> to)
    {
        to = to[..what.Length];
        var i = 0;
        for (; i <= what.Length - Vector<long>.Count; i += Vector<long>.Count)
            (new Vector<long>(to[i..]) + new Vector<long>(what[i..])).CopyTo(to[i..]);
        for (; i < what.Length; i++) to[i] += what[i];
    }
}
