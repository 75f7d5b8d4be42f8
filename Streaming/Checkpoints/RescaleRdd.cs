using System.Globalization;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Checkpoints;

/// <summary>Writes the state of an operator into files for another number of partitions, one old partition after the other. Gives, by new partition, whether there is a file of
/// what was put away (1) and of what was in memory (2).</summary>
/// <param name="context">Where it runs.</param>
/// <param name="folder">Of the operator's state.</param>
/// <param name="chains">By partition: the files that make it.</param>
/// <param name="description">What it is.</param>
/// <param name="names">The files to write.</param>
internal sealed class RescaleRdd(DataflowContext context, string folder, string[][] chains, StateDescription description, RescaledNames names) : Rdd<int>(context, "Rescale")
{
    public override IReadOnlyList<Dependency> Dependencies => [];

    protected override Partition[] GetPartitions() => [new IndexPartition(0)];

    protected override ChunkReader<int> Compute(Partition partition, TaskContext task) => ChunkReader<int>.From((ReadOnlyMemory<int>)Write(task));

    private int[] Write(TaskContext task)
    {
        using var arena = new TaskArena(task, "rescale");
        using var away = new SplitState(folder, names.Away, isAway: true, description.Sides, arena);
        using var here = new SplitState(folder, names.Here, isAway: false, description.Sides, arena);
        foreach (var chain in chains)
        {
            if (description.Kind == StateDescription.OfAggregate)
            {
                foreach (var groups in StoredGroups.Read(description.Sides[0], folder, chain, task)) (groups.Share < 0 ? here : away).Add(0, groups.Span, groups.Share, groups.Batch, null);
                continue;
            }
            using var rows = new StoredRows(description, folder, chain, task);
            for (var side = 0; side < rows.Tables.Length; side++)
            {
                foreach (var (start, span) in rows.Tables[side].Spans)
                {
                    foreach (var (batch, numbers) in span.Batches(0, arena, onlyThere: true)) here.Add(side, start, -1, batch, i => span.IsMarked(numbers[i]));
                }
            }
        }
        var (isAway, isHere) = (away.Commit(), here.Commit());
        return [.. isAway.Zip(isHere, (first, second) => (first ? 1 : 0) + (second ? 2 : 0))];
    }
}

/// <summary>What files of state in another number of partitions are called.</summary>
/// <param name="Away">By partition: of what was put away.</param>
/// <param name="Here">By partition: of what was in memory.</param>
internal sealed record RescaledNames(string[] Away, string[] Here)
{
    /// <summary>Names that no file has.</summary>
    /// <param name="batch">The last batch that is done: what it left can't be mistaken for what a later one writes.</param>
    /// <param name="partitions">How many partitions there will be.</param>
    public static RescaledNames New(long batch, int partitions)
    {
        var attempt = Guid.NewGuid().ToString("N")[..12];
        return new(Names(StateFileKind.Run), Names(StateFileKind.Snapshot));

        string[] Names(StateFileKind kind) => [.. Enumerable.Range(0, partitions).Select(partition => StateChain.NameOf(batch, partition, attempt, kind, 0))];
    }

    /// <summary>The chains of the files that are there.</summary>
    public string[][] Chains(int[] written) => [.. written.Select((files, i) => (string[])[.. (files & 1) == 0 ? [] : (string[])[Away[i]], .. (files & 2) == 0 ? [] : (string[])[Here[i]]])];
}
