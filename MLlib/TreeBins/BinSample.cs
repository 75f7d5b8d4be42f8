using Dataflow.MLlib.Numerics;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeBins;

/// <summary>Finds the bins of all features from a sample of rows that a hash of the row's number chooses, so that any partitioning gives the same bins.</summary>
internal static unsafe class BinSample
{
    private const ulong Stream = 0x5EED_B145;

    // Singles of a cache line.
    private const int Together = 16;

    // Features whose samples shards hold at a time, at most.
    private const int MostTogether = 32;

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
            var rooms = Enumerable.Range(0, team.Size).Select(_ => new Room(sampled, Together)).ToArray();
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

        // Some features at a time, so that no shard holds the whole sample. Each is sorted by one shard, which tells the others its bins.
        var most = Math.Min(mappers.Length, Math.Min(group.Shards * team.Size, MostTogether));
        using var own = new NativeArray<double>((long)sampled * most);
        var found = new List<double>();
        for (var first = 0; first < mappers.Length; first += most)
        {
            var count = Math.Min(most, mappers.Length - first);
            Pick(blocks, chosen, first, count, own, sampled);
            var parts = group.AllGather<double>(own.Span(0, sampled * count));
            var mine = Enumerable.Range(first, count).Where(feature => feature % group.Shards == group.Index).ToArray();
            team.Share(mine.Length, (i, _) => mappers[mine[i]] = Of(Join(parts, mine[i] - first, count), isCategorical[mine[i]], maxBins));
            foreach (var feature in mine) mappers[feature].Write(found);
        }
        foreach (var others in group.AllGather<double>(found.ToArray()).Select((values, shard) => (Values: values, Shard: shard)))
        {
            var next = 0;
            for (var feature = others.Shard; feature < mappers.Length; feature += group.Shards) mappers[feature] = BinMapper.Read(others.Values, ref next);
        }
        return mappers;
    }

    // One feature's values of all shards: each brought those of some features, one after the other.
    private static double[] Join(double[][] parts, int feature, int features)
    {
        var values = new double[parts.Sum(part => part.Length / features)];
        var place = 0;
        foreach (var part in parts)
        {
            var rows = part.Length / features;
            part.AsSpan(feature * rows, rows).CopyTo(values.AsSpan(place));
            place += rows;
        }
        return values;
    }

    private static BinMapper Of(double[] values, bool isCategorical, int maxBins)
    {
        using var room = new Room(values.Length, 0);
        return Of(room, values, isCategorical, maxBins);
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
    private sealed class Room(int rows, int features) : IDisposable
    {
        public NativeArray<double> Values { get; } = new((long)rows * features);

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
