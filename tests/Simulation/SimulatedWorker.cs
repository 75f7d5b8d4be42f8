using Dataflow.Cluster;
using Dataflow.Scheduling;
using Dataflow.Shuffle;

namespace Dataflow.Simulation;

/// <summary>Whoever serves map outputs: a worker, or an executor that has none to do it.</summary>
internal interface IOutputServer
{
    Machine Machine { get; }

    WorkerId Server { get; }

    bool IsDead { get; }

    /// <summary>Whether its machine went with it, so that nobody answers at its address.</summary>
    bool DiedSilently { get; }

    ServedBlock? Open(BlockName name);
}

/// <summary>A worker: serves the map outputs that executors left as files, from its start to its crash. One that starts anew has another number.</summary>
internal sealed class SimulatedWorker(Machine machine, WorkerId number, bool serves) : IOutputServer
{
    private readonly MapFileProvider _provider = new(new ShuffleFolder(PathOf(number), machine.Disk));

    public Machine Machine => machine;

    public WorkerId Server => number;

    /// <summary>Whether it serves map outputs; else each executor serves its own.</summary>
    public bool Serves => serves;

    public string Url => $"http://worker-{number}:1/";

    public bool IsDead { get; private set; }

    public bool DiedSilently { get; private set; }

    /// <summary>The folder as an executor of this worker has it.</summary>
    public ShuffleFolder? FolderOfExecutor() => serves ? new ShuffleFolder(PathOf(number), machine.Disk) : null;

    public ServedBlock? Open(BlockName name) => _provider.Open(name, near: false);

    public void Drop(ShuffleId shuffle) => _provider.Drop(BlockName.Shuffle(shuffle, 0, new TaskId(0), 0, 1));

    /// <summary>Files of map outputs.</summary>
    public List<string> Files() => machine.Disk.FilesOf(PathOf(number));

    public void Crash(bool silently)
    {
        IsDead = true;
        DiedSilently = silently;

        // One that starts anew clears what is left.
        machine.Disk.DeleteFolder(PathOf(number));
    }

    private static string PathOf(WorkerId number) => $"/simulated/shuffles/{number}";
}
