using System.Globalization;
using Dataflow.Scheduling;
using Dataflow.Storage;

namespace Dataflow.Tasks;

/// <summary>What one executor offers to all tasks that run on it. In local mode this process is the one executor.</summary>
public sealed class ExecutorServices : IDisposable
{
    internal ExecutorServices(
        ExecutorId executor, WorkerId worker, DataflowOptions options, Shuffle.ShuffleFolder? shuffles = null, IDisk? disk = null, TimeProvider? time = null)
    {
        Executor = executor;
        Worker = worker;
        Options = options;
        Pool = new NativePool(NativePoolOptions.Within(options));
        Memory = MemoryBudget.Create(options, Pool, time);
        Temp = new TempFolders(options.TempFolder, disk ?? LocalDisk.Instance);
        Blocks = new BlockStore(Memory, Pool, Temp);
        State = new ExecutorState(Memory);

        Shuffles = new Shuffle.ShuffleStore(worker, Memory, Pool, Temp, options.SegmentsInMemory) { Folder = shuffles };
    }

    /// <summary>This executor.</summary>
    public ExecutorId Executor { get; }

    /// <summary>The worker that started it and serves its map outputs.</summary>
    public WorkerId Worker { get; }

    /// <summary>The options of the application.</summary>
    public DataflowOptions Options { get; }

    /// <summary>What culture tasks run under: that of the driver when it made the context.</summary>
    public CultureInfo Culture { get; internal set; } = CultureInfo.CurrentCulture;

    /// <summary>The memory that engine data lies in; reserve in <see cref="Memory"/> before renting.</summary>
    public NativePool Pool { get; }

    /// <summary>What bounds the memory of the process.</summary>
    public MemoryBudget Memory { get; }

    /// <summary>Where temporary files are made.</summary>
    public TempFolders Temp { get; }

    /// <summary>Cached partitions.</summary>
    public BlockStore Blocks { get; }

    /// <summary>Decides which attempts may make their output final; null where one attempt of each task is all there is.</summary>
    internal ICommitCoordinator? Commits { get; set; }

    /// <summary>Where the tasks of barrier stages wait for each other.</summary>
    internal IMeetingPoint Meetings { get; set; } = null!;

    /// <summary>Where messages between tasks of a gang come in.</summary>
    internal Collectives.Exchange Exchange { get; } = new();

    /// <summary>Objects that are built once and shared by all tasks.</summary>
    public ExecutorState State { get; }

    /// <summary>The map outputs that this process serves.</summary>
    internal Shuffle.ShuffleStore Shuffles { get; }

    /// <summary>Who serves which map output.</summary>
    internal Shuffle.IMapOutputs MapOutputs { get; set; } = null!;

    /// <summary>How tasks wait for each other and for the driver; null blocks their thread.</summary>
    internal Action<Task, CancellationToken>? Waits { get; set; }

    /// <summary>Brings map outputs of other servers; null where there are none.</summary>
    internal Shuffle.IShuffleFetcher? Fetcher { get; set; }

    /// <summary>Other executors' cached partitions; null where there are none.</summary>
    internal ICachedPeers? Peers { get; set; }

    /// <summary>Frees what the executor holds. Tasks must have ended.</summary>
    public void Dispose()
    {
        State.Dispose();
        Blocks.Dispose();

        Shuffles.Dispose();
        Temp.Dispose();
        Memory.Dispose();
        Pool.Dispose();
    }
}
