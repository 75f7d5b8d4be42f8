using Microsoft.Extensions.Logging;

namespace Dataflow;

/// <summary>Every knob of an application, with its unit and default.</summary>
public sealed partial record DataflowOptions
{
    private readonly long _maxPartitionBytes = 128L << 20;
    private readonly long _fileOpenCostBytes = 4L << 20;
    private readonly int _threads = Environment.ProcessorCount;
    private readonly int? _defaultParallelism;
    private readonly int _taskMaxAttempts = 4;
    private readonly int _stageMaxAttempts = 4;
    private readonly long? _maxResultBytes;
    private readonly long? _memoryBytes;
    private readonly TimeSpan _memoryWait = TimeSpan.FromSeconds(30);
    private readonly string? _tempFolder;
    private readonly string? _eventLogFolder;

    /// <summary>The defaults.</summary>
    public static DataflowOptions Default { get; } = new();

    /// <summary>How the application calls itself on pages and in logs. Default: the name of the entry assembly.</summary>
    public string Name { get; init; } = System.Reflection.Assembly.GetEntryAssembly()?.GetName().Name ?? "dataflow";

    /// <summary>How many tasks run at once in local mode. Default: the processors of the machine.</summary>
    public int Threads
    {
        get => _threads;
        init => _threads = AtLeast(1, value, nameof(Threads));
    }

    /// <summary>Partitions of wide verbs and of <c>Parallelize</c> when the program names none. Null (default): as many as the largest
    /// input has, and as many as slots for <c>Parallelize</c>.</summary>
    public int? DefaultParallelism
    {
        get => _defaultParallelism;
        init => _defaultParallelism = value is { } set ? AtLeast(1, set, nameof(DefaultParallelism)) : null;
    }

    /// <summary>How often a task is tried before its job fails. Default 4.</summary>
    public int TaskMaxAttempts
    {
        get => _taskMaxAttempts;
        init => _taskMaxAttempts = AtLeast(1, value, nameof(TaskMaxAttempts));
    }

    /// <summary>How often a stage is run before its job fails. Default 4.</summary>
    public int StageMaxAttempts
    {
        get => _stageMaxAttempts;
        init => _stageMaxAttempts = AtLeast(1, value, nameof(StageMaxAttempts));
    }

    /// <summary>Most bytes, estimated, that all results of one job may bring to the driver. Default 1 GB, or a quarter of <see cref="MemoryBytes"/> if that is
    /// set and less.</summary>
    public long MaxResultBytes
    {
        get => _maxResultBytes ?? Math.Min(1L << 30, Math.Max(1, MemoryBytes / 4 ?? long.MaxValue));
        init => _maxResultBytes = AtLeast(1, value, nameof(MaxResultBytes));
    }

    /// <summary>Whether element-by-element verbs are compiled into one loop. False runs each by itself: slower, easier to debug. Default true.</summary>
    public bool Fusion { get; init; } = true;

    /// <summary>How many elements of a run of element-by-element verbs are computed verb by verb before their loop is compiled.</summary>
    internal int FusionWarmUp { get; init; } = 32_768;

    /// <summary>Bytes of private resident memory that the process may take, runtime and managed heap included; mapped files and the page cache
    /// don't count. Null, the default, takes three quarters of the machine's memory, or of its container's. See <see cref="Storage.MemoryBudget"/>.</summary>
    public long? MemoryBytes
    {
        get => _memoryBytes;
        init => _memoryBytes = value is { } set ? AtLeast(1, set, nameof(MemoryBytes)) : null;
    }

    /// <summary>How long a task waits for memory that others hold before it fails. Default 30 s.</summary>
    public TimeSpan MemoryWait
    {
        get => _memoryWait;
        init => _memoryWait = Within(value, nameof(MemoryWait));
    }

    /// <summary>Most bytes of a partition read from files, give or take a quarter, unless one file that can't be cut has more. Default 128 MB.</summary>
    public long MaxPartitionBytes
    {
        get => _maxPartitionBytes;
        init => _maxPartitionBytes = AtLeast(1, value, nameof(MaxPartitionBytes));
    }

    /// <summary>What opening a file costs, as the bytes that could be read in that time: small files are put into one partition until their bytes
    /// and these reach <see cref="MaxPartitionBytes"/>. Default 4 MB.</summary>
    public long FileOpenCostBytes
    {
        get => _fileOpenCostBytes;
        init => _fileOpenCostBytes = AtLeast(0, value, nameof(FileOpenCostBytes));
    }

    /// <summary>The folder under which applications keep temporary files, each in a folder of its own that is removed with it. Null, the default, is
    /// <c>dataflow-USER</c> in the system's temporary folder. Choose a disk with room for shuffles and caches beyond memory.</summary>
    public string? TempFolder
    {
        get => _tempFolder;
        init => _tempFolder = PathOrNull(value, nameof(TempFolder));
    }

    /// <summary>Ask the system for huge pages (2 MB) for engine data. Default on. See <see cref="Storage.NativePoolOptions.HugePages"/>.</summary>
    public bool HugePages { get; init; } = true;

    /// <summary>Bounds the engine's own data and nothing else, in bytes: for tests that want a tiny budget within a large process.</summary>
    internal long? EngineMemoryBytes { get; init; }

    /// <summary>Whether segments of shuffles stay in memory while there is room. False sends each to disk at once: for tests of what is read back.</summary>
    internal bool SegmentsInMemory { get; init; } = true;

    /// <summary>Whether long jobs draw a progress bar on the console, and jobs that wait for workers say so. Silent in any case when standard error is redirected. Default true.</summary>
    public bool Progress { get; init; } = true;

    /// <summary>A folder for event logs: one file of JSON lines per application, every event of jobs, stages and tasks. Null, the default, writes none.</summary>
    public string? EventLogFolder
    {
        get => _eventLogFolder;
        init => _eventLogFolder = PathOrNull(value, nameof(EventLogFolder));
    }

    /// <summary>Where log messages go: jobs at Information, failures at Warning. Null, the default, logs nothing.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>Where random choices start: the scheduler's, and those of <c>Sample</c> and its like where the program gives them no seed. Default 0.</summary>
    public int Seed { get; init; }

    private static string? PathOrNull(string? value, string name) => value is null || (value.Trim().Length > 0 && !value.Contains('\0'))
        ? value
        : throw new ArgumentException($"{name} must be the path of a folder, or null for the default, but is '{value.Replace("\0", "\\0", StringComparison.Ordinal)}'.", name);

    private static T AtLeast<T>(T least, T value, string name)
        where T : IComparable<T> => value.CompareTo(least) >= 0
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} must be at least {least}.");
}
