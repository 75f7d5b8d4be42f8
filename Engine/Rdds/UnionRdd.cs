using Dataflow.Tasks;

namespace Dataflow;

/// <summary>The partitions of several Rdds, one after the other; duplicates stay.</summary>
internal sealed class UnionRdd<T> : Rdd<T>
{
    private readonly Rdd<T>[] _inputs;
    private Dependency[]? _dependencies;

    public UnionRdd(DataflowContext context, Rdd<T>[] inputs) : base(context, "Union") => _inputs = inputs;

    public override IReadOnlyList<Dependency> Dependencies => _dependencies ??= MakeDependencies();

    internal override bool AppendsInputs => true;

    public override IReadOnlyList<string> PreferredLocations(Partition partition)
    {
        var union = (UnionPartition)partition;
        return _inputs[union.Input].PreferredLocations(union.Parent);
    }

    protected internal override Partition[] GetPartitions()
    {
        var result = new List<Partition>();
        for (var i = 0; i < _inputs.Length; i++)
        {
            foreach (var partition in _inputs[i].PartitionArray) result.Add(new UnionPartition(result.Count, i, partition));
        }
        return [.. result];
    }

    protected internal override ChunkReader<T> Compute(Partition partition, TaskContext context)
    {
        var union = (UnionPartition)partition;
        return _inputs[union.Input].Read(union.Parent, context);
    }

    private Dependency[] MakeDependencies() => [.. _inputs.Select(input => new UnionDependency(this, input))];

    // Where the run of an input starts depends on how many partitions the inputs before it have, which may list files: asked late.
    private sealed class UnionDependency(UnionRdd<T> union, Rdd<T> input) : NarrowDependency(input)
    {
        public override IReadOnlyList<int> ParentsOf(int partition)
        {
            var child = (UnionPartition)union.PartitionArray[partition];
            return union._inputs[child.Input] == Rdd ? [child.Parent.Index] : [];
        }
    }
}
