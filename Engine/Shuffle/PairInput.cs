using Dataflow.Tasks;

namespace Dataflow.Shuffle;

/// <summary>One input of a verb that brings pairs of one key together: read through a shuffle, or in place if it is placed already.</summary>
internal sealed class PairInput<TKey, TValue>
{
    // Null when its shuffle stands in between: then it is another stage's.
    private readonly Rdd<(TKey Key, TValue Value)>? _rdd;
    private readonly PairShuffleDependency<TKey, TValue>? _shuffle;
    private readonly Partitioner<TKey> _partitioner;

    public PairInput(Rdd<(TKey Key, TValue Value)> rdd, Partitioner<TKey> partitioner)
    {
        _partitioner = partitioner;
        if (partitioner.Equals(rdd.Partitioner))
        {
            _rdd = rdd;
            Dependency = new OneToOneDependency(rdd);
        }
        else
        {
            _shuffle = new PairShuffleDependency<TKey, TValue>(rdd, partitioner, PairPlacer<TKey>.TagsFor(partitioner.PartitionCount));
            Dependency = _shuffle;
        }
    }

    public Dependency Dependency { get; }

    /// <summary>What reading partition <paramref name="index"/> of the result needs of this input.</summary>
    public Partition PartitionOf(int index) => _shuffle is null ? _rdd!.PartitionArray[index] : new ShuffleReadPartition(index, index, index + 1);

    /// <summary>The segments of a partition by hash range: [range][segment].</summary>
    public IReadOnlyList<InputSegment>[] Ranges(Partition partition, TaskContext context)
    {
        var tags = PairPlacer<TKey>.TagsFor(_partitioner.PartitionCount);
        var result = new List<InputSegment>[tags];
        for (var i = 0; i < tags; i++) result[i] = [];
        if (_shuffle is not null)
        {
            var input = ShuffleInput.Open(_shuffle.ShuffleId, (ShuffleReadPartition)partition, context);
            for (var reduce = input.ReduceStart; reduce < input.ReduceEnd; reduce++)
            {
                foreach (var segment in input.Segments(reduce)) result[segment.Tag].Add(segment);
            }
            return result;
        }

        // Placed already, but not cut into hash ranges: cut it here, into runs that can go to disk.
        var runs = MapOutputWriter.ForRuns(context, tags);
        var placer = new PairPlacer<TKey>(_partitioner, tags);
        using (var buckets = RowBuckets<(TKey Key, TValue Value)>.Make(runs, 1))
        using (var reader = _rdd!.Read(partition, context))
        {
            while (reader.TryRead(out var chunk))
            {
                for (; chunk.Length > 0; chunk = chunk[Math.Min(chunk.Length, PairPlacer<TKey>.Length)..])
                {
                    var rows = chunk[..Math.Min(chunk.Length, PairPlacer<TKey>.Length)];
                    placer.Place(rows);
                    var targets = placer.Buckets;
                    for (var i = 0; i < rows.Length; i++) targets[i] %= tags;
                    buckets.Add(targets, rows);
                }
            }
            buckets.Finish();
        }
        for (var i = 0; i < tags; i++) result[i].AddRange(runs.Run(i));
        return result;
    }
}
