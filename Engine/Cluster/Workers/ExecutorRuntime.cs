using System.Globalization;

namespace Dataflow.Cluster;

/// <summary>How the runtime of an executor's process is set up, by what the executor is granted.</summary>
internal static class ExecutorRuntime
{
    // The collector of servers keeps a heap for each core, and is a fifth faster with several; bounded by a hard limit it takes no more memory than it is
    // given. Its threads wait for each other busily, on every processor of the machine unless they are counted: executors that share one would disturb
    // each other at each collection.
    private const int LeastServerCores = 2;
    private const long LeastServerBytes = 1L << 30;

    // Marking in the background costs a twentieth of the time. A heap that is small enough is collected well within the time for which a link may be silent.
    private const long MostPausedBytes = 4L << 30;

    // Methods are compiled well when they have been called often, not when no new ones have come for a tenth of a second: new stages bring new ones all the time.

    /// <summary>The content of a <c>runtimeconfig.json</c>.</summary>
    /// <param name="cores">Tasks that the executor runs at once.</param>
    /// <param name="memoryBytes">Its memory, heap and engine memory together.</param>
    public static string Config(int cores, long memoryBytes) => $$"""
        {
          "runtimeOptions": {
            "tfm": "net10.0",
            "rollForward": "Major",
            "frameworks": [
              { "name": "Microsoft.NETCore.App", "version": "10.0.0" },
              { "name": "Microsoft.AspNetCore.App", "version": "10.0.0" }
            ],
            "configProperties": {
              "System.GC.Server": {{Text(cores >= LeastServerCores && memoryBytes >= LeastServerBytes)}},
              "System.GC.HeapCount": {{Math.Min(cores, Environment.ProcessorCount).ToString(CultureInfo.InvariantCulture)}},
              "System.GC.NoAffinitize": true,
              "System.GC.Concurrent": {{Text(memoryBytes > MostPausedBytes)}},
              "System.GC.DynamicAdaptationMode": 0,
              "System.GC.HeapHardLimit": {{memoryBytes.ToString(CultureInfo.InvariantCulture)}},
              "System.Runtime.TieredCompilation.CallCountingDelayMs": 0,
              "System.Globalization.Invariant": {{Text(AppContext.TryGetSwitch("System.Globalization.Invariant", out var invariant) && invariant)}}
            }
          }
        }
        """;

    private static string Text(bool value) => value ? "true" : "false";
}
