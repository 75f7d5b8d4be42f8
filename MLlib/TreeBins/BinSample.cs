using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeBins;

/// <summary>Finds the bins of all features from a sample of rows that a hash of the row's number chooses, so that any partitioning gives the same bins.</summary>
internal static class BinSample
{
    private const ulong Stream = 0x5EED_B145;

    /// <summary>The bins of each feature.</summary>
    /// <remarks>Sorts about <paramref name="sampleRows"/> values a feature, shared over the team by feature.</remarks>
    /// <param name="blocks">The rows of this shard.</param>
    /// <param name="categorical">By feature: whether its values are categories.</param>
    /// <param name="maxBins">Value bins of a feature at most.</param>
    /// <param name="sampleRows">About so many rows of all shards.</param>
    public static BinMapper[] Find(IReadOnlyList<RowSource> blocks, ReadOnlySpan<bool> categorical, int maxBins, int sampleRows, ThreadTeam team, ITreeGroup group)
    {
        var counts = new long[] { blocks.Sum(block => (long)block.Rows) };
        group.AllReduceSum(counts);
        var chosen = blocks.Select(block => Choose(block, (double)sampleRows / Math.Max(1, counts[0]))).ToArray();
        var sampled = chosen.Sum(rows => rows.Length);
        var isCategorical = categorical.ToArray();
        var mappers = new BinMapper[categorical.Length];
        if (group.Shards == 1)
        {
            // A feature after the other in the same room: there may be many, and the sample of each takes megabytes.
            var rooms = Enumerable.Range(0, team.Size).Select(_ => new Room(sampled)).ToArray();
            team.Share(mappers.Length, (feature, member) =>
            {
                Pick(blocks, chosen, feature, rooms[member].Values);
                mappers[feature] = Of(rooms[member], isCategorical[feature], maxBins);
            });
            return mappers;
        }

        // Features in turn, so that no shard holds more than one feature's sample of all.
        for (var feature = 0; feature < mappers.Length; feature++)
        {
            var values = new double[sampled];
            Pick(blocks, chosen, feature, values);
            mappers[feature] = Of(new Room([.. group.AllGather<double>(values).SelectMany(part => part)]), isCategorical[feature], maxBins);
        }
        return mappers;
    }

    private static BinMapper Of(Room room, bool isCategorical, int maxBins)
    {
        var values = room.Values;
        var present = SortedValues.MoveNaNToEnd(values);
        var sorted = values.AsSpan(0, present);
        SortedValues.Sort(sorted, room.First, room.Second);
        var hadMissing = present < values.Length;
        return isCategorical ? BinMapper.Categorical(sorted, hadMissing, maxBins) : BinMapper.Numeric(sorted, hadMissing, maxBins);
    }

    /// <summary>A feature's sample, and room to sort it.</summary>
    private sealed class Room(double[] values)
    {
        public Room(int count)
            : this(new double[count])
        {
        }

        public double[] Values => values;

        public ulong[] First { get; } = new ulong[values.Length];

        public ulong[] Second { get; } = new ulong[values.Length];
    }

    private static void Pick(IReadOnlyList<RowSource> blocks, int[][] chosen, int feature, double[] values)
    {
        var place = 0;
        for (var i = 0; i < blocks.Count; i++)
        {
            blocks[i].Pick(feature, chosen[i], values.AsSpan(place, chosen[i].Length));
            place += chosen[i].Length;
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
