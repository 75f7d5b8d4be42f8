using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Tasks;

namespace Dataflow.TestKit;

/// <summary>Rdds of numbers whose lineage is all that matters, for tests of scheduling.</summary>
internal static class TestRdds
{
    /// <summary>A context that runs nothing.</summary>
    public static DataflowContext Context { get; } = DataflowContext.Local(1);
}

/// <summary>An Rdd with a given number of partitions that reads what it is told to.</summary>
internal sealed class TestRdd : Rdd<int>
{
    private readonly Partition[] _partitions;
    private readonly Dependency[] _dependencies;
    private readonly Determinacy? _determinacy;

    public TestRdd(int partitions, params Dependency[] dependencies) : this(partitions, null, null, dependencies) { }

    public TestRdd(int partitions, Determinacy? determinacy, Partition[]? parts, params Dependency[] dependencies) : base(TestRdds.Context, "Test")
    {
        _partitions = parts ?? [.. Enumerable.Range(0, partitions).Select(index => new IndexPartition(index))];
        _dependencies = dependencies;
        _determinacy = determinacy;
    }

    /// <summary>Hosts of each partition's data.</summary>
    public Func<int, IReadOnlyList<string>> Hosts { get; init; } = _ => [];

    /// <summary>Makes it an Rdd whose tasks start together.</summary>
    public bool StartsTogether
    {
        get;
        init
        {
            field = value;
            Context.HasStageWishes = true;
        }
    }

    public override IReadOnlyList<Dependency> Dependencies => _dependencies;

    internal override bool IsBarrier => StartsTogether;

    public override IReadOnlyList<string> PreferredLocations(Partition partition) => Hosts(partition.Index);

    protected internal override Partition[] GetPartitions() => _partitions;

    protected internal override Determinacy GetDeterminacy(Determinacy parents) => _determinacy ?? parents;

    protected internal override ChunkReader<int> Compute(Partition partition, TaskContext context) => ChunkReader<int>.From((ReadOnlyMemory<int>)new[] { partition.Index });
}

/// <summary>A shuffle whose map tasks do what a test says.</summary>
internal sealed class TestShuffle(Rdd rdd, int reducePartitions, Func<Partition, TaskContext, MapStatus>? run = null)
    : ShuffleDependency(rdd, reducePartitions)
{
    internal override bool ChecksumKnowsOrder => OrderMatters;

    /// <summary>Whether its checksums would be others if the same rows came in another order.</summary>
    public bool OrderMatters { get; init; }

    public override void Write(Partition partition, MapOutputWriter output, TaskContext context) =>
        throw new InvalidOperationException("RunMapTask stands in for it.");

    internal override MapStatus RunMapTask(Partition partition, TaskContext context) => run is null ? Status(context.Services.Worker) : run(partition, context);

    public MapStatus Status(WorkerId server, ulong checksum = 0, TaskId writer = default) =>
        new(new MapLocation(server, writer), Enumerable.Repeat(10L, ReducePartitions).ToArray(), Enumerable.Repeat(1L, ReducePartitions).ToArray(), checksum);
}
