using System.Globalization;

namespace Dataflow.Cluster;

/// <summary>The options of an application that its executors follow, as they travel. The rest of <see cref="DataflowOptions"/> is the driver's.</summary>
internal static class ExecutorSettings
{
    private const string Culture = "Culture";

    public static Dictionary<string, string> Write(DataflowOptions options) => new()
    {
        [nameof(DataflowOptions.Name)] = options.Name,
        [nameof(DataflowOptions.Fusion)] = options.Fusion.ToString(),
        [nameof(DataflowOptions.FusionWarmUp)] = Text(options.FusionWarmUp),
        [nameof(DataflowOptions.MemoryWait)] = Text(options.MemoryWait.Ticks),
        [nameof(DataflowOptions.CancellationGrace)] = Text(options.CancellationGrace.Ticks),
        [nameof(DataflowOptions.BarrierTimeout)] = Text(options.BarrierTimeout.Ticks),
        [nameof(DataflowOptions.MaxPartitionBytes)] = Text(options.MaxPartitionBytes),
        [nameof(DataflowOptions.MaxResultBytes)] = Text(options.MaxResultBytes),
        [nameof(DataflowOptions.HugePages)] = options.HugePages.ToString(),
        [nameof(DataflowOptions.Seed)] = Text(options.Seed),
        [Culture] = CultureInfo.CurrentCulture.Name,
    };

    public static DataflowOptions Read(IReadOnlyDictionary<string, string> settings, int slots, long memoryBytes, string tempFolder) => new()
    {
        Threads = slots,
        MemoryBytes = memoryBytes,
        TempFolder = tempFolder,
        Progress = false,
        Name = settings[nameof(DataflowOptions.Name)],
        Fusion = bool.Parse(settings[nameof(DataflowOptions.Fusion)]),
        FusionWarmUp = (int)Number(settings, nameof(DataflowOptions.FusionWarmUp)),
        MemoryWait = new TimeSpan(Number(settings, nameof(DataflowOptions.MemoryWait))),
        CancellationGrace = new TimeSpan(Number(settings, nameof(DataflowOptions.CancellationGrace))),
        BarrierTimeout = new TimeSpan(Number(settings, nameof(DataflowOptions.BarrierTimeout))),
        MaxPartitionBytes = Number(settings, nameof(DataflowOptions.MaxPartitionBytes)),
        MaxResultBytes = Number(settings, nameof(DataflowOptions.MaxResultBytes)),
        HugePages = bool.Parse(settings[nameof(DataflowOptions.HugePages)]),
        Seed = (int)Number(settings, nameof(DataflowOptions.Seed)),
    };

    /// <summary>The culture of the driver, under which tasks read and write numbers and dates.</summary>
    /// <exception cref="ClusterException">This machine does not know it.</exception>
    public static CultureInfo CultureOf(IReadOnlyDictionary<string, string> settings)
    {
        try
        {
            return CultureInfo.GetCultureInfo(settings[Culture]);
        }
        catch (CultureNotFoundException error)
        {
            throw new ClusterException(
                $"The driver runs under the culture '{settings[Culture]}', which {Environment.MachineName} does not know: install ICU there (Debian: libicu), "
                + "or set CultureInfo.CurrentCulture to CultureInfo.InvariantCulture in the driver.", error);
        }
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static long Number(IReadOnlyDictionary<string, string> settings, string name) => long.Parse(settings[name], CultureInfo.InvariantCulture);
}
