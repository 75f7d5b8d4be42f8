using System.Collections.Concurrent;
using System.Security.Cryptography;
using Dataflow.Closures;
using Dataflow.Errors;
using Dataflow.Tasks;

namespace Dataflow.Cluster;

/// <summary>The code of stages as the driver offers it: read once, when the first task needs it.</summary>
/// <param name="driver">Fetches code that is too large for the offer.</param>
/// <param name="context">How it is read.</param>
internal sealed class ShippedStages(DriverBlocksReader driver, Func<ReadContext> context)
{
    private readonly ConcurrentDictionary<long, StageBinaryAvailable> _offered = new();
    private readonly ConcurrentDictionary<long, StageBinary> _read = new();

    /// <summary>Notes what the driver offers.</summary>
    public void Offer(StageBinaryAvailable offered) => _offered[offered.Binary] = offered;

    /// <summary>The task of a launch.</summary>
    /// <exception cref="CorruptDataException">Code arrived that is not what was offered.</exception>
    /// <exception cref="ClusterException">The driver could not be asked for the code.</exception>
    public (StageTask Task, StageBinary Binary) TaskOf(TaskLaunch launch)
    {
        var binary = _read.GetOrAdd(launch.Binary, Read);
        var partition = ClosureCodec.Read<Partition>(launch.PartitionBytes, context());
        var description = new TaskDescription(launch.Task, launch.Job, launch.Stage, launch.StageAttempt, launch.Partition, launch.Attempt, launch.Speculative)
        {
            Cpus = launch.Cpus,
            Resources = launch.Resources,
            Epoch = launch.Epoch,
            CachePeers = launch.CachePeers,
            Gang = launch.GangHosts is { } hosts ? new Gang(hosts) : null,
        };
        return (binary.MakeTask(description, partition, launch.Epoch), binary);
    }

    private StageBinary Read(long id)
    {
        if (!_offered.TryGetValue(id, out var offered))
            throw new InvalidOperationException($"A task needs the code {id}, which the driver did not offer. This is a mistake in Dataflow: please report it.");
        var bytes = offered.Bytes ?? driver.Fetch(BlockName.Binary(id), "the code of a stage").ToArray();
        if (!SHA256.HashData(bytes).AsSpan().SequenceEqual(offered.Hash)) throw new CorruptDataException($"The code {id} arrived damaged.");
        return ClosureCodec.Read<StageBinary>(bytes, context());
    }
}
