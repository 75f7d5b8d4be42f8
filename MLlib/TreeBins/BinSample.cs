using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeBins;

/// <summary>Finds the bins of all features from a sample of rows that a hash of the row's number chooses, so that any partitioning gives the same bins.</summary>
internal static unsafe class BinSample
{
    private const ulong Stream = 0x5EED_B145;

    // Singles of a cache line.
    private const int Together = 16;

    /// <summary>The bins of each feature.</summary>
    /// <remarks>Sorts about <paramref name="sampleRows"/> values a feature, shared over the team by feature.</remarks>
    /// <param name="blocks">The rows of this shard.</param>
    /// <param name="categorical">By feature: whether its values are categories.</param>
    /// <param name="maxBins">Value bins of a feature at most, from 2 to 65,535.</param>
    /// <param name="sampleRows">About so many rows of all shards.</param>
    public static BinMapper[] Find(IReadOnlyList<RowSource> blocks, ReadOnlySpan<bool> categorical, int maxBins, int sampleRows, ThreadTeam team, ITreeGroup group)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBins, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxBins, BinLayout.WideBins - 1);
        var counts = new long[] { blocks.Sum(block => (long)block.Rows) };
        group.AllReduceSum(counts);
        var chosen = blocks.Select(block => Choose(block, (double)sampleRows / Math.Max(1, counts[0]))).ToArray();
        var sampled = chosen.Sum(rows => rows.Length);
        var isCategorical = categorical.ToArray();
        var mappers = new BinMapper[categorical.Length];
        if (group.Shards == 1)
        {
            // Features beside each other are read together, since they lie in the same cache line, and all in the same room: there may be many.
            var rooms = Enumerable.Range(0, team.Size).Select(_ => new Room(sampled)).ToArray();
            team.Share((mappers.Length + Together - 1) / Together, (batch, member) =>
            {
                var first = batch * Together;
                var count = Math.Min(Together, mappers.Length - first);
                Pick(blocks, chosen, first, count, rooms[member].Values, sampled);
                for (var feature = 0; feature < count; feature++)
                    mappers[first + feature] = Of(rooms[member], rooms[member].Values.Span((long)feature * sampled, sampled), isCategorical[first + feature], maxBins);
            });
            foreach (var room in rooms) room.Dispose();
            return mappers;
        }

        // Features in turn, so that no shard holds more than one feature's sample of all.
        for (var feature = 0; feature < mappers.Length; feature++)
        {
            using var own = new NativeArray<double>(sampled);
            Pick(blocks, chosen, feature, 1, own, sampled);
            double[] values = [.. group.AllGather<double>(own.Span(0, sampled)).SelectMany(part => part)];
            using var room = new Room(values.Length);
            mappers[feature] = Of(room, values, isCategorical[feature], maxBins);
        }
        return mappers;
    }

    private static BinMapper Of(Room room, Span<double> values, bool isCategorical, int maxBins)
    {
        var present = SortedValues.MoveNaNToEnd(values);
        var sorted = values[..present];
        SortedValues.Sort(sorted, room.First.Span(0, present), room.Second.Span(0, present));
        var hadMissing = present < values.Length;
        return isCategorical ? BinMapper.Categorical(sorted, hadMissing, maxBins) : BinMapper.Numeric(sorted, hadMissing, maxBins);
    }

    private static void Pick(IReadOnlyList<RowSource> blocks, int[][] chosen, int first, int count, NativeArray<double> values, int stride)
    {
        var place = 0;
        for (var i = 0; i < blocks.Count; i++)
        {
            if (chosen[i].Length == 0) continue;
            blocks[i].Pick(first, count, chosen[i], values.Span(place, ((count - 1) * stride) + chosen[i].Length), stride);
            place += chosen[i].Length;
        }
    }

    /// <summary>Samples of some features, and room to sort one.</summary>
    private sealed class Room(int rows) : IDisposable
    {
        public NativeArray<double> Values { get; } = new((long)rows * Together);

        public NativeArray<ulong> First { get; } = new(rows);

        public NativeArray<ulong> Second { get; } = new(rows);

        public void Dispose()
        {
            Values.Dispose();
            First.Dispose();
            Second.Dispose();
        }
    }

    private static int[] Choose(RowSource block, double share)
    {
        var rows = new List<int>();
        var key = RowHash.Key(0, Stream);
        for (var i = 0; i < block.Rows; i++)
        {
            if (share >= 1 || RowHash.Uniform(key, block.FirstRow + i) < share) rows.Add(i);
        }
        return [.. rows];
    }
}
